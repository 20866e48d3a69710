package circuits

import (
	"errors"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/constraint/solver"
)

// A stored constraint system names its hints by a hash of the Go function's name: moving or renaming
// one of these breaks every key on disk. A test pins their numbers. All of them compute what depends
// on a challenge; each output stands in a constraint that determines it.
func init() {
	solver.RegisterHint(foldParameters, runningSum, powers, divide, horner)
}

var errNoParameters = errors.New("the solver was not given the model's parameters")

// foldParameters is u = Σ αⁱ·Pᵢ. The parameters are no part of the circuit: Parameters.Fold gives
// the solver the real function.
func foldParameters(*big.Int, []*big.Int, []*big.Int) error { return errNoParameters }

// runningSum maps pairs (a_i, b_i) to the partial sums of a_i·b_i.
func runningSum(_ *big.Int, in, out []*big.Int) error {
	var s, a, b fr.Element
	for i := range out {
		a.SetBigInt(in[2*i])
		b.SetBigInt(in[2*i+1])
		a.Mul(&a, &b)
		s.Add(&s, &a)
		s.BigInt(out[i])
	}
	return nil
}

// powers maps z to z², z³, ….
func powers(_ *big.Int, in, out []*big.Int) error {
	var z, p fr.Element
	z.SetBigInt(in[0])
	p.Set(&z)
	for i := range out {
		p.Mul(&p, &z)
		p.BigInt(out[i])
	}
	return nil
}

// divide maps pairs (n_i, d_i) to n_i/d_i, 0 where d_i is 0.
func divide(_ *big.Int, in, out []*big.Int) error {
	d := make([]fr.Element, len(out))
	for i := range d {
		d[i].SetBigInt(in[2*i+1])
	}
	d = fr.BatchInvert(d)
	var n fr.Element
	for i := range d {
		if !in[2*i].IsUint64() || in[2*i].Uint64() != 1 {
			n.SetBigInt(in[2*i])
			d[i].Mul(&d[i], &n)
		}
		d[i].BigInt(out[i])
	}
	return nil
}

// horner maps (z, x_0, …, x_n) to h_i = x_i + z·h_(i+1) for i = 0 … n−1, with h_n = x_n.
func horner(_ *big.Int, in, out []*big.Int) error {
	var z, h, x fr.Element
	z.SetBigInt(in[0])
	h.SetBigInt(in[len(in)-1])
	for i := len(out) - 1; i >= 0; i-- {
		h.Mul(&h, &z)
		x.SetBigInt(in[1+i])
		h.Add(&h, &x)
		h.BigInt(out[i])
	}
	return nil
}
