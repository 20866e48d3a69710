package model

// ArgMax is the index of the greatest element along Axis; of equal ones the lowest index, or the
// highest with LastIndex.
type ArgMax struct {
	Axis      int
	KeepDims  bool
	LastIndex bool
}

// Kind implements Op.
func (*ArgMax) Kind() string { return "argmax" }

// Infer implements Op.
func (a *ArgMax) Infer(in []Tensor) (Tensor, error) {
	if err := checkAxis(in, a.Axis); err != nil {
		return Tensor{}, err
	}
	n := in[0].Shape[a.Axis]
	return inferred(reducedShape(in[0].Shape, []int{a.Axis}, a.KeepDims), span{0, int64(n - 1)})
}

// Eval implements Op.
func (a *ArgMax) Eval(in [][]int64, inT []Tensor, outT Tensor) (out, acc []int64) {
	outer, n, inner := splitAxis(inT[0].Shape, a.Axis)
	out = make([]int64, outT.Len())
	for o := range outer {
		for i := range inner {
			best, at := in[0][o*n*inner+i], 0
			for k := 1; k < n; k++ {
				if v := in[0][(o*n+k)*inner+i]; v > best || a.LastIndex && v == best {
					best, at = v, k
				}
			}
			out[o*inner+i] = int64(at)
		}
	}
	return out, nil
}

// Params implements Op.
func (*ArgMax) Params() []Param { return nil }

// MACs implements Op.
func (*ArgMax) MACs([]Tensor, Tensor) int64 { return 0 }
