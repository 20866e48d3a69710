package model

// MaxPool is the greatest value of each window of x [1, C, H, W]; padding never wins.
type MaxPool struct {
	Window
}

// Kind implements Op.
func (*MaxPool) Kind() string { return "maxpool" }

// Infer implements Op.
func (p *MaxPool) Infer(in []Tensor) (Tensor, error) {
	if err := checkImage(in); err != nil {
		return Tensor{}, err
	}
	x := in[0]
	oh, ow, err := p.Window.infer(x.Shape)
	if err != nil {
		return Tensor{}, err
	}
	out, err := inferred([]int{1, x.Shape[1], oh, ow}, span{x.Min, x.Max})
	if err != nil {
		return Tensor{}, err
	}
	return out, p.checkCovered(x.Shape, oh, ow)
}

// Eval implements Op.
func (p *MaxPool) Eval(in [][]int64, inT []Tensor, outT Tensor) (out, acc []int64) {
	out = make([]int64, 0, outT.Len())
	p.eachWindow(inT[0].Shape, outT.Shape, func(_, _, _ int, taps func(visit func(at int))) {
		best := inT[0].Min
		taps(func(at int) { best = max(best, in[0][at]) })
		out = append(out, best)
	})
	return out, nil
}

// Params implements Op.
func (*MaxPool) Params() []Param { return nil }

// MACs implements Op.
func (*MaxPool) MACs([]Tensor, Tensor) int64 { return 0 }
