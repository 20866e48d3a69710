package keygen

import (
	"context"
	"runtime"
	"sync"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// group is what multiplication by a fixed base needs of a curve's group: A are affine points, J
// Jacobian ones.
type group[A, J any] struct {
	base   A
	add    func(sum *J, p *A)
	affine func([]J) []A
}

func g1(base bn254.G1Affine) group[bn254.G1Affine, bn254.G1Jac] {
	return group[bn254.G1Affine, bn254.G1Jac]{base,
		func(sum *bn254.G1Jac, p *bn254.G1Affine) { sum.AddMixed(p) }, bn254.BatchJacobianToAffineG1}
}

func g2(base bn254.G2Affine) group[bn254.G2Affine, bn254.G2Jac] {
	return group[bn254.G2Affine, bn254.G2Jac]{base,
		func(sum *bn254.G2Jac, p *bn254.G2Affine) { sum.AddMixed(p) }, affineG2}
}

// affineG2 is BatchJacobianToAffineG1 for the other group: one inversion for all points.
func affineG2(points []bn254.G2Jac) []bn254.G2Affine {
	out := make([]bn254.G2Affine, len(points))
	// prefix[i] is the product of the Z before i, points at infinity left out.
	prefix := make([]bn254.E2, len(points))
	var product bn254.E2
	product.SetOne()
	for i := range points {
		prefix[i] = product
		if !points[i].Z.IsZero() {
			product.Mul(&product, &points[i].Z)
		}
	}
	product.Inverse(&product)
	for i := len(points) - 1; i >= 0; i-- {
		p := &points[i]
		if p.Z.IsZero() {
			continue // the zero value is the point at infinity
		}
		var z, z2 bn254.E2
		z.Mul(&product, &prefix[i])
		product.Mul(&product, &p.Z)
		z2.Square(&z)
		out[i].X.Mul(&p.X, &z2)
		out[i].Y.Mul(&p.Y, &z2)
		out[i].Y.Mul(&out[i].Y, &z)
	}
	return out
}

// table holds the multiples d·2^(w·width)·base for each window w and digit d > 0.
type table[A, J any] struct {
	group[A, J]
	width   uint
	windows [][]A
}

// scalarBits is the size of a scalar of BN254.
const scalarBits = 254

// tableWidth balances the table's entries against the additions of n multiplications.
func tableWidth(n int) uint {
	best, bestCost := uint(1), -1
	for w := uint(1); w <= 14; w++ {
		windows := (scalarBits + int(w) - 1) / int(w)
		if cost := windows * (n + 2<<w); bestCost < 0 || cost < bestCost {
			best, bestCost = w, cost
		}
	}
	return best
}

func newTable[A, J any](g group[A, J], n int) *table[A, J] {
	t := &table[A, J]{group: g, width: tableWidth(n)}
	base := g.base
	for range (scalarBits + t.width - 1) / t.width {
		multiples := make([]J, 1<<t.width) // of 1 … 2^width; the last is the next window's base
		var sum J
		for d := range multiples {
			g.add(&sum, &base)
			multiples[d] = sum
		}
		points := g.affine(multiples)
		t.windows = append(t.windows, points[:len(points)-1])
		base = points[len(points)-1]
	}
	return t
}

// multiply is scalar·base.
func (t *table[A, J]) multiply(scalar *fr.Element) (sum J) {
	bits := scalar.Bits()
	for w, multiples := range t.windows {
		if d := digit(&bits, uint(w)*t.width, t.width); d > 0 {
			t.add(&sum, &multiples[d-1])
		}
	}
	return sum
}

// digit is the width bits of x from bit at on.
func digit(x *[4]uint64, at, width uint) uint64 {
	word, shift := at/64, at%64
	v := x[word] >> shift
	if shift+width > 64 && word < 3 {
		v |= x[word+1] << (64 - shift)
	}
	return v & (1<<width - 1)
}

// MultiplesG1 are the scalars times the generator of G1. It ends early with ctx.
func MultiplesG1(ctx context.Context, scalars []fr.Element) ([]bn254.G1Affine, error) {
	_, _, g, _ := bn254.Generators()
	out, err := multiply(ctx, g1(g), [][]fr.Element{scalars})
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// chunk is how many points one goroutine makes affine together.
const chunk = 1 << 12

// multiply computes scalar·base for all scalars of all parts, on all processors.
func multiply[A, J any](ctx context.Context, g group[A, J], parts [][]fr.Element) ([][]A, error) {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	t := newTable(g, n)
	out := make([][]A, len(parts))
	jobs := make(chan func())
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for job := range jobs {
				job()
			}
		})
	}
	for i, scalars := range parts {
		out[i] = make([]A, len(scalars))
		for from := 0; from < len(scalars) && ctx.Err() == nil; from += chunk {
			to := min(from+chunk, len(scalars))
			jobs <- func() {
				sums := make([]J, to-from)
				for k := range sums {
					sums[k] = t.multiply(&scalars[from+k])
				}
				copy(out[i][from:to], t.affine(sums))
			}
		}
	}
	close(jobs)
	workers.Wait()
	return out, ctx.Err()
}
