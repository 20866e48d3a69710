package model

// Mul is an elementwise product of two tensors that broadcast to the output's shape:
//
//	acc = Multiplier·(x − Zeros[0])·(y − Zeros[1])
type Mul struct {
	Zeros      [2]int64
	Rescale    Rescale
	Multiplier []int64 `cbor:"-"` // parameter, [1]
}

// Kind implements Op.
func (*Mul) Kind() string { return "mul" }

// Infer implements Op.
func (m *Mul) Infer(in []Tensor) (Tensor, error) {
	if err := checkArity(in, 2); err != nil {
		return Tensor{}, err
	}
	if err := checkLength("multiplier", m.Multiplier, 1); err != nil {
		return Tensor{}, err
	}
	for _, z := range m.Zeros {
		if err := checkZero("zero", z); err != nil {
			return Tensor{}, err
		}
	}
	shape, err := broadcastShape(in)
	if err != nil {
		return Tensor{}, err
	}
	out, err := m.Rescale.infer(shape, 1)
	if err != nil {
		return Tensor{}, err
	}
	x, y := centered(in[0], m.Zeros[0]), centered(in[1], m.Zeros[1])
	var w worstCase
	size := saturatingMul(x.magnitude(), y.magnitude())
	if size < accLimit {
		w.add(m.Multiplier[0], x.times(y.min).hull(x.times(y.max)))
	}
	w.size = max(w.size, size)
	return out, m.Rescale.admit("product", w)
}

// Eval implements Op.
func (m *Mul) Eval(in [][]int64, inT []Tensor, outT Tensor) (out, acc []int64) {
	acc = make([]int64, outT.Len())
	x, y := BroadcastIndex(inT[0].Shape, outT.Shape), BroadcastIndex(inT[1].Shape, outT.Shape)
	for i := range acc {
		acc[i] = m.Multiplier[0] * (in[0][x[i]] - m.Zeros[0]) * (in[1][y[i]] - m.Zeros[1])
	}
	return m.Rescale.apply(acc, 1), acc
}

// Params implements Op.
func (m *Mul) Params() []Param {
	return []Param{{"multiplier", []int{len(m.Multiplier)}, &m.Multiplier}}
}

// MACs implements Op: x·y and the multiplier.
func (*Mul) MACs(_ []Tensor, out Tensor) int64 { return 2 * int64(out.Len()) }

// Requantization implements Rescaled.
func (m *Mul) Requantization() *Rescale { return &m.Rescale }
