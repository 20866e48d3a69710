package claims

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// Class is the size of the circuit that vouches for runs: it knows neither the protocol nor the model, so that
// one serves every model that fits.
type Class struct {
	RowBits int // a row of Z has 2^RowBits cells
	Singles int // messages whose pads are wires and that are never multiplied
	Groups  int // of messages that are
}

// Row is the number of cells of a row.
func (c Class) Row() int { return 1 << c.RowBits }

// Pads is the number of pads: of single messages, then of groups.
func (c Class) Pads() int { return c.Singles + GroupSize*c.Groups }

// Public is the length of U: the constant, the point within a row, a coefficient for each pad, and one for
// each pattern of each group.
func (c Class) Public() int { return 1 + c.RowBits + c.Pads() + len(Patterns)*c.Groups }

// Check bounds a class.
func (c Class) Check() error {
	if c.RowBits < 1 || c.RowBits > 20 || c.Singles < 1 || c.Singles > 1<<16 || c.Groups < 1 || c.Groups > 1<<16 {
		return fmt.Errorf("size class %+v: expected 1 to 20 row bits, 1 to 2^16 single messages and as many groups", c)
	}
	return nil
}

// PublicForm is the vector U of a run: the opening's form in pads, and the coordinates of its point within a
// row, which are the last. It errs where the run does not fit the class.
func (c Class) PublicForm(r *Run, o *Opening) ([]fr.Element, error) {
	_, singles, groups := r.Used()
	if singles > c.Singles || groups > c.Groups || len(o.Point) < c.RowBits {
		return nil, fmt.Errorf("a run of %d single messages, %d groups and 2^%d cells does not fit the size class %+v",
			singles, groups, len(o.Point), c)
	}
	constant, coefficients, products := o.InPads(r.Sent)
	out := make([]fr.Element, c.Public())
	out[0] = constant
	copy(out[1:], o.Point[len(o.Point)-c.RowBits:])
	pads := out[1+c.RowBits:]
	for m, k := range coefficients {
		if at, ok := c.pad(r, m); ok {
			pads[at] = k
		}
	}
	for _, p := range products {
		group, pattern, _ := r.Pattern(p)
		at := &pads[c.Pads()+len(Patterns)*group+pattern]
		at.Add(at, &p.Coefficient)
	}
	return out, nil
}

// pad is the number of the wire that holds a message's pad; ok is false where it is a cell.
func (c Class) pad(r *Run, message int) (wire int, ok bool) {
	switch r.Kinds[message] {
	case Single:
		return r.Slots[message], true
	case Multiplied:
		return c.Singles + r.Slots[message], true
	}
	return 0, false
}

// Combine is Σ_k U_k·z^k.
func Combine(u []fr.Element, z fr.Element) (sum fr.Element) {
	for k := len(u) - 1; k >= 0; k-- {
		sum.Mul(&sum, &z).Add(&sum, &u[k])
	}
	return sum
}
