package claims

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// randomStep is a step that applies to a shape.
func randomStep(rng *rand.Rand, shape []int) Step {
	axis := rng.IntN(len(shape))
	switch rng.IntN(4) {
	case 0:
		return Step{Permute: rng.Perm(len(shape))}
	case 1:
		return Step{Reshape: &Reshape{Shape: randomReshape(rng, volume(shape))}}
	case 2:
		w := &Window{Axis: axis, Length: 1 + rng.IntN(6), Kernel: 1, Stride: 1, Dilation: 1, Pad: rng.IntN(5) - 2}
		if rng.IntN(2) == 0 {
			w.Kernel, w.Stride, w.Dilation = 1+rng.IntN(3), rng.IntN(3), 1+rng.IntN(2)
		}
		return Step{Window: w}
	default:
		s := &Select{Axis: axis}
		for range 1 + rng.IntN(6) {
			s.Indices = append(s.Indices, rng.IntN(shape[axis]+1)-1)
		}
		return Step{Select: s}
	}
}

// randomReshape factors n, with some axes of 1.
func randomReshape(rng *rand.Rand, n int) []int {
	var out []int
	for d := 2; n > 1; {
		if n%d != 0 {
			d++
			continue
		}
		n /= d
		if len(out) > 0 && rng.IntN(2) == 0 {
			out[len(out)-1] *= d
		} else {
			out = append(out, d)
		}
	}
	if rng.IntN(2) == 0 || len(out) == 0 {
		out = slices.Insert(out, rng.IntN(len(out)+1), 1)
	}
	rng.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	if len(out) > maxAxes {
		return []int{volume(out)}
	}
	return out
}

func addElements(a, b fr.Element) fr.Element { return *a.Add(&a, &b) }

// elements are a tensor's, row-major.
func elements(x *Tensor, z []fr.Element) []fr.Element {
	out := make([]fr.Element, x.Len())
	x.Each(func(element, cell int) { out[element] = z[cell] })
	return out
}

// TestViews: a functional of what a view shows, by the definition, is that of the cells; of one block's eq too.
func TestViews(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for try := range 3000 {
		var shape []int
		for range 1 + rng.IntN(4) {
			shape = append(shape, 1+rng.IntN(5))
		}
		x := NewTensor(shape...)
		z := random(Place(0, x))
		n := &Network{Tensors: []Committed{{Tensor: x}}}
		v := View{}
		values := elements(x, z)
		for range rng.IntN(5) {
			s := randomStep(rng, shape)
			next, err := s.Apply(shape)
			if err != nil {
				t.Fatal(err)
			}
			values = Forward([]Step{s}, shape, values, addElements)
			v.Steps, shape = append(v.Steps, s), next
		}
		if got, err := n.ShapeOf(&v); err != nil || !slices.Equal(got, shape) || len(values) != volume(shape) {
			t.Fatalf("%+v: shape %v, %v, expected %v and %d values", v, got, err, shape, len(values))
		}
		checkView(t, n, &v, productWeights(random(1)[0], shape, vectorsOf(shape)...), values, z)
		b := rng.IntN(blockCount(shape))
		checkView(t, n, &v, eqOf(shape, b), values, z)
		if t.Failed() {
			t.Fatalf("try %d: %+v of %v", try, v, x.Shape)
		}
	}
}

// eqOf is eq of a random point on one block.
func eqOf(shape []int, block int) Weights {
	place := NewTensor(shape...)
	return blockWeights(place, newCoordinates(random(AxisBits(Place(0, place)))))[block]
}

func vectorsOf(shape []int) (out [][]fr.Element) {
	for _, d := range shape {
		out = append(out, random(d))
	}
	return out
}

func checkView(t *testing.T, n *Network, v *View, w Weights, values, z []fr.Element) {
	t.Helper()
	var want fr.Element
	for i := range values {
		k, rest := w.Coefficient, i
		for a := len(w.Shape) - 1; a >= 0; a-- {
			k.Mul(&k, &w.axis(a).dense(w.Shape[a])[rest%w.Shape[a]])
			rest /= w.Shape[a]
		}
		want.Add(&want, k.Mul(&k, &values[i]))
	}
	var f Form
	n.into(&f).addView(v, fr.One(), []Weights{w})
	got := f.Constant
	for i := range f.cells {
		if err := f.cells[i].check(AxisBits(len(z))); err != nil {
			t.Error(err)
		}
		c := f.cells[i].of(cells(z))
		got.Add(&got, &c)
	}
	if !got.Equal(&want) {
		t.Errorf("%s, want %s", got.String(), want.String())
	}
}

// TestOnes: a view of ones is a constant.
func TestOnes(t *testing.T) {
	n := &Network{}
	v := View{Tensor: Ones, Shape: []int{4}, Steps: []Step{{Window: &Window{Length: 6, Kernel: 1, Stride: 1, Dilation: 1, Pad: 1}}}}
	w := random(6)
	var f Form
	n.into(&f).addView(&v, fr.One(), []Weights{productWeights(fr.One(), []int{6}, w)})
	var want fr.Element
	for _, x := range w[1:5] {
		want.Add(&want, &x)
	}
	if len(f.cells) > 0 || !f.Constant.Equal(&want) {
		t.Errorf("%s and %d cells, want %s", f.Constant.String(), len(f.cells), want.String())
	}
}
