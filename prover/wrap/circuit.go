// Package wrap is the circuit that vouches for a run of package claims without knowing it: one for each size
// class, whatever the model.
//
// All that a run leaves to be shown is
//
//	u + Σ u_i·π_i + Σ w_j·π_a·π_b = Σ_k t_k·eq(ρ, k),
//
// where π are the pads of messages, t a combination of the rows of Z, and u, w, ρ are public. Pads and row are
// committed; so is the public vector U = (u, ρ, u_i, w_j), because a public input an entry would cost the
// verifier a multiplication each: instead P = Σ U_k·z^k at a challenge z drawn after U and after F, which stands
// for the whole transcript. S, F and P are all the public inputs.
//
// Order matters: pads are committed before the transcript begins, U is a function of the transcript, and z is
// drawn from both. The row has a commitment of its own, which the verifier compares with its rows.
package wrap

import (
	"fmt"

	"github.com/consensys/gnark/frontend"

	"github.com/zkinfer/zkinfer/claims"
)

// Constraints is the number of constraints of a class.
func Constraints(c claims.Class) int {
	const masks = 5 // gnark's of each commitment, and two of our own
	horner := c.Public() - 1
	form := c.Pads() + 2*len(claims.Patterns)*c.Groups
	fold := c.Row() - 1
	return horner + form + fold + 2 + masks
}

// circuit is the gnark circuit of a class.
type circuit struct {
	S frontend.Variable `gnark:",public"` // digest of the statement, bound by being hashed
	F frontend.Variable `gnark:",public"` // digest of the transcript, likewise
	P frontend.Variable `gnark:",public"` // Σ U_k·z^k

	Pads    []frontend.Variable
	PadMask frontend.Variable
	U       []frontend.Variable
	Row     []frontend.Variable
	RowMask frontend.Variable

	class claims.Class `gnark:"-"`
}

func newCircuit(c claims.Class) *circuit {
	return &circuit{
		Pads: make([]frontend.Variable, c.Pads()), U: make([]frontend.Variable, c.Public()), Row: make([]frontend.Variable, c.Row()),
		class: c,
	}
}

// Define implements frontend.Circuit.
func (c *circuit) Define(api frontend.API) error {
	committer, ok := api.(frontend.Committer)
	if !ok {
		return fmt.Errorf("the backend has no commitments")
	}
	first, err := committer.Commit(append(append([]frontend.Variable{c.S}, c.Pads...), c.PadMask)...)
	if err != nil {
		return err
	}
	z, err := committer.Commit(append([]frontend.Variable{c.F, first}, c.U...)...)
	if err != nil {
		return err
	}
	if _, err := committer.Commit(append(append([]frontend.Variable{z}, c.Row...), c.RowMask)...); err != nil {
		return err
	}
	// Masks of our own, because a prover has to know its commitments before it has a witness. A wire that
	// stands in no constraint would not be committed.
	api.Mul(c.PadMask, c.PadMask)
	api.Mul(c.RowMask, c.RowMask)
	api.AssertIsEqual(c.horner(api, z), c.P)
	api.AssertIsEqual(c.form(api), c.fold(api))
	return nil
}

// horner is Σ U_k·z^k.
func (c *circuit) horner(api frontend.API, z frontend.Variable) frontend.Variable {
	sum := c.U[len(c.U)-1]
	for k := len(c.U) - 2; k >= 0; k-- {
		sum = api.Add(api.Mul(sum, z), c.U[k])
	}
	return sum
}

// form is u + Σ u_i·π_i + Σ w_j·π_a·π_b.
func (c *circuit) form(api frontend.API) frontend.Variable {
	coefficients := c.U[1+c.class.RowBits:]
	products := coefficients[len(c.Pads):]
	sum := c.U[0]
	for i, pad := range c.Pads {
		sum = api.Add(sum, api.Mul(coefficients[i], pad))
	}
	for g := range c.class.Groups {
		group := c.Pads[c.class.Singles+claims.GroupSize*g:]
		for k, slots := range claims.Patterns {
			product := api.Mul(group[slots[0]], group[slots[1]])
			sum = api.Add(sum, api.Mul(products[len(claims.Patterns)*g+k], product))
		}
	}
	return sum
}

// fold is the extension of the row at ρ, top bit first.
func (c *circuit) fold(api frontend.API) frontend.Variable {
	row := c.Row
	for _, r := range c.U[1 : 1+c.class.RowBits] {
		half := len(row) / 2
		next := make([]frontend.Variable, half)
		for i := range next {
			next[i] = api.Add(row[i], api.Mul(api.Sub(row[half+i], row[i]), r))
		}
		row = next
	}
	return row[0]
}
