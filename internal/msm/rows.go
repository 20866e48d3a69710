package msm

import (
	"fmt"
	"iter"
	"runtime"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/internal/share"
)

// MaxValue bounds |v| of a committed value.
const MaxValue = 1 << 62

// CommitRows cuts values into rows of len(bases), the last of which may be shorter, and commits to each:
//
//	C_i = Σ_j values[i·len(bases) + j]·bases[j] + salts[i]·h.
//
// It errs where a value exceeds MaxValue or where there is not one salt a row.
//
// Bases are collected in buckets by signed digits of the values (Pippenger), several rows at a time, so that all sums
// are made of affine additions that share inversions: about six multiplications each, one addition for each digit that is
// not 0. A row's most frequent value costs nothing: it is taken times the sum of all bases.
func CommitRows(bases []bn254.G1Affine, h *bn254.G1Affine, values []int64, salts []fr.Element) ([]bn254.G1Affine, error) {
	if err := checkRows(len(bases), len(values), len(salts)); err != nil {
		return nil, err
	}
	for i, v := range values {
		if v > MaxValue || v < -MaxValue {
			return nil, fmt.Errorf("row %d: value %d at %d, expected at most %d in absolute value", i/len(bases), v, i%len(bases), MaxValue)
		}
	}
	c := newRowCommitter(bases, h)
	rows, out := len(salts), make([]bn254.G1Affine, len(salts))
	// Small shares, so that all processors finish at about the same time.
	size := min(max((rows+runtime.GOMAXPROCS(0)-1)/runtime.GOMAXPROCS(0), 1), rowShare)
	share.Out((rows+size-1)/size, func(items iter.Seq[int]) {
		b := &rowBatch{rowCommitter: c, buckets: buckets{table: c.table}}
		for item := range items {
			for i := item * size; i < min((item+1)*size, rows); i++ {
				row := values[i*len(bases) : min((i+1)*len(bases), len(values))]
				b.addRow(row, salts[i], &out[i])
			}
			b.finish()
		}
	})
	return out, nil
}

// rowShare is the number of rows that a goroutine takes at a time.
const rowShare = 32

// checkRows errs where there is not one salt a row.
func checkRows(bases, values, salts int) error {
	if bases == 0 || (values+bases-1)/bases != salts {
		return fmt.Errorf("%d salts for %d values in rows of %d, expected one a row", salts, values, bases)
	}
	return nil
}

// CommitElements is CommitRows of field elements of any size, such as pads.
func CommitElements(bases []bn254.G1Affine, h *bn254.G1Affine, values, salts []fr.Element) ([]bn254.G1Affine, error) {
	if err := checkRows(len(bases), len(values), len(salts)); err != nil {
		return nil, err
	}
	out := bn254.BatchScalarMultiplicationG1(h, salts)
	for i := range out {
		row := values[i*len(bases) : min((i+1)*len(bases), len(values))]
		sum := MultiExp(bases[:len(row)], row)
		out[i].FromJacobian(sum.AddMixed(&out[i]))
	}
	return out, nil
}
