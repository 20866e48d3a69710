// Package plain says what a network of package claims means: every expression evaluated for every element, every row
// looked for in its table. It is the slow and obvious check that the protocol is compared with.
package plain

import (
	"errors"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/claims"
)

// ErrViolated is something of a network that some cells do not satisfy.
var ErrViolated = errors.New("the cells do not satisfy the network")

// Cells evaluates a network on the cells of Z.
type Cells struct {
	Network *claims.Network
	Z       []fr.Element
}

func add(a, b fr.Element) fr.Element { return *a.Add(&a, &b) }

// View is what a view shows, row-major.
func (c Cells) View(v *claims.View) []fr.Element {
	shape := v.Shape
	var values []fr.Element
	if v.Tensor == claims.Ones {
		values = make([]fr.Element, volume(shape))
		for i := range values {
			values[i].SetOne()
		}
	} else {
		t := c.Network.Tensors[v.Tensor]
		shape, values = t.Shape, make([]fr.Element, t.Len())
		t.Each(func(element, cell int) { values[element] = c.Z[cell] })
	}
	return claims.Forward(v.Steps, shape, values, add)
}

func volume(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// Expression evaluates an expression of a shape, row-major.
func (c Cells) Expression(e *claims.Expression, shape []int) []fr.Element {
	out := make([]fr.Element, volume(shape))
	for i := range out {
		out[i].SetInt64(e.Constant)
	}
	for k := range e.Linear {
		addScaled(out, e.Linear[k].Coefficient, c.View(&e.Linear[k].View))
	}
	for _, x := range e.Contractions {
		addScaled(out, x.Coefficient, c.Contraction(&c.Network.Contractions[x.Contraction]))
	}
	var scale fr.Element
	scale.SetUint64(1 << e.Shift).Inverse(&scale)
	for i := range out {
		out[i].Mul(&out[i], &scale)
	}
	return out
}

func addScaled(out []fr.Element, coefficient int64, v []fr.Element) {
	var k, x fr.Element
	k.SetInt64(coefficient)
	for i := range out {
		out[i].Add(&out[i], x.Mul(&k, &v[i]))
	}
}

// Contraction evaluates a contraction by its definition, row-major.
func (c Cells) Contraction(x *claims.Contraction) []fr.Element {
	w, in := c.View(&x.Weight), c.Expression(&x.Input.Expression, x.Input.Shape)
	shape, _ := c.Network.ShapeOf(&x.Weight)
	switch x.Kind {
	case claims.Convolution:
		return convolution(x, shape, w, in)
	case claims.MatMul:
		return matMul(shape, w, in)
	}
	return scaling(shape, x.Input.Shape, w, in)
}

func convolution(x *claims.Contraction, shape []int, w, in []fr.Element) []fr.Element {
	outputs, per, area := shape[0], shape[1], shape[2]*shape[3]
	size := x.Input.Shape
	out := make([]fr.Element, x.Out[0]*x.Out[1]*outputs)
	for i := range out {
		o, ox, oy := i%outputs, i/outputs%x.Out[1], i/outputs/x.Out[1]
		first := o / (outputs / x.Groups) * per
		for k := range area {
			y := oy*x.Stride[0] + k/shape[3]*x.Dilation[0] - x.Pad[0]
			at := ox*x.Stride[1] + k%shape[3]*x.Dilation[1] - x.Pad[1]
			if y < 0 || y >= size[1] || at < 0 || at >= size[2] {
				continue
			}
			for ch := range per {
				var v fr.Element
				v.Mul(&w[(o*per+ch)*area+k], &in[(y*size[2]+at)*size[3]+first+ch])
				out[i].Add(&out[i], &v)
			}
		}
	}
	return out
}

func matMul(shape []int, w, in []fr.Element) []fr.Element {
	n, depth := shape[0], shape[1]
	out := make([]fr.Element, len(in)/depth*n)
	for i := range out {
		for k := range depth {
			var v fr.Element
			v.Mul(&w[i%n*depth+k], &in[i/n*depth+k])
			out[i].Add(&out[i], &v)
		}
	}
	return out
}

func scaling(weight, shape []int, w, in []fr.Element) []fr.Element {
	out := make([]fr.Element, len(in))
	for i := range out {
		at, step, rest := 0, 1, i
		for a := len(shape) - 1; a >= 0; a-- {
			at += rest % shape[a] % weight[a] * step
			step *= weight[a]
			rest /= shape[a]
		}
		out[i].Mul(&in[i], &w[at])
	}
	return out
}

// Keys are the keys of a lookup's elements, row-major: Σ β^k·column k + β^8·(number of the table).
func (c Cells) Keys(lookup int, beta fr.Element) []fr.Element {
	l := &c.Network.Lookups[lookup]
	out := make([]fr.Element, volume(l.Shape))
	power := fr.One()
	for k := range 8 {
		if k < len(l.Columns) {
			for i, x := range c.Expression(&l.Columns[k], l.Shape) {
				out[i].Add(&out[i], x.Mul(&x, &power))
			}
		}
		power.Mul(&power, &beta)
	}
	var number fr.Element
	number.SetUint64(uint64(l.Table)).Mul(&number, &power)
	for i := range out {
		out[i].Add(&out[i], &number)
	}
	return out
}

// Check errs (ErrViolated) unless the cells satisfy the network with these public values.
func (c Cells) Check(public [][]int64) error {
	for _, part := range []func() error{c.lookups, c.multiplications, c.zeros, func() error { return c.public(public) }} {
		if err := part(); err != nil {
			return err
		}
	}
	return nil
}

// lookups finds every row and counts how often each was found.
func (c Cells) lookups() error {
	n := c.Network
	for t := range n.Tables {
		rows := map[[8]fr.Element]int{}
		uses := make([]fr.Element, n.Tables[t].Rows())
		for row, r := range rowsOf(&n.Tables[t]) {
			rows[r] = row
		}
		for i := range n.Lookups {
			if n.Lookups[i].Table == t {
				if err := c.find(i, rows, uses); err != nil {
					return err
				}
			}
		}
		claimed := c.View(&claims.View{Tensor: n.Tables[t].Multiplicities})
		for row := range uses {
			if !uses[row].Equal(&claimed[row]) {
				return fmt.Errorf("%w: row %d of table %d is used %s times, said to be %s", ErrViolated, row, t, uses[row].String(), claimed[row].String())
			}
		}
	}
	return nil
}

// rowsOf lists a table's rows by the definition: arguments count like digits.
func rowsOf(t *claims.Table) [][8]fr.Element {
	out := make([][8]fr.Element, t.Rows())
	for row := range out {
		rest := row
		for k := len(t.Arguments) - 1; k >= 0; k-- {
			a := t.Arguments[k]
			out[row][k].SetInt64(a.Min + int64(rest%a.Len))
			rest /= a.Len
		}
	}
	for k, column := range t.Values {
		for row, v := range column.Expand() {
			out[row][len(t.Arguments)+k].SetInt64(v)
		}
	}
	return out
}

func (c Cells) find(lookup int, rows map[[8]fr.Element]int, uses []fr.Element) error {
	l := &c.Network.Lookups[lookup]
	keys := make([][8]fr.Element, volume(l.Shape))
	for k := range l.Columns {
		for i, v := range c.Expression(&l.Columns[k], l.Shape) {
			keys[i][k] = v
		}
	}
	one := fr.One()
	for i := range keys {
		row, ok := rows[keys[i]]
		if !ok {
			return fmt.Errorf("%w: element %d of lookup %d is in no row of table %d", ErrViolated, i, lookup, l.Table)
		}
		uses[row].Add(&uses[row], &one)
	}
	return nil
}

func (c Cells) multiplications() error {
	for k := range c.Network.Multiplications {
		m := &c.Network.Multiplications[k]
		a, b, product := c.Expression(&m.A, m.Shape), c.Expression(&m.B, m.Shape), c.Expression(&m.C, m.Shape)
		for i := range a {
			if a[i].Mul(&a[i], &b[i]); !a[i].Equal(&product[i]) {
				return fmt.Errorf("%w: element %d of product %d", ErrViolated, i, k)
			}
		}
	}
	return nil
}

func (c Cells) zeros() error {
	for k := range c.Network.Zeros {
		z := &c.Network.Zeros[k]
		for i, v := range c.Expression(&z.Expression, z.Shape) {
			if !v.IsZero() {
				return fmt.Errorf("%w: element %d of zero %d", ErrViolated, i, k)
			}
		}
	}
	return nil
}

func (c Cells) public(public [][]int64) error {
	for k := range c.Network.Public {
		p := &c.Network.Public[k]
		values := c.Expression(&p.Expression, p.Shape)
		if len(values) != len(public[k]) {
			return fmt.Errorf("%w: public tensor %d has %d elements", ErrViolated, k, len(values))
		}
		for i := range values {
			var want fr.Element
			if want.SetInt64(public[k][i]); !values[i].Equal(&want) {
				return fmt.Errorf("%w: element %d of public tensor %d", ErrViolated, i, k)
			}
		}
	}
	return nil
}
