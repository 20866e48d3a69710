package model

// Rearrangement is an op that moves values and computes nothing: it costs no constraint.
type Rearrangement interface {
	Op
	// Origins tells for each output element which input it comes from.
	Origins(in []Tensor, out Tensor) []Origin
}

// Origin is element Index of input Input; Input −1 stands for the constant Value.
type Origin struct {
	Input int
	Index int
	Value int64
}

// rearrange is Eval of every Rearrangement.
func rearrange(op Rearrangement, in [][]int64, inT []Tensor, outT Tensor) []int64 {
	out := make([]int64, outT.Len())
	for i, o := range op.Origins(inT, outT) {
		if o.Input < 0 {
			out[i] = o.Value
		} else {
			out[i] = in[o.Input][o.Index]
		}
	}
	return out
}

// originsAt are the origins of an op with one input whose output element at lies where source says.
// source may reuse its result.
func originsAt(in, out Tensor, source func(at []int) []int) []Origin {
	step := strides(in.Shape)
	origins := make([]Origin, 0, out.Len())
	eachIndex(out.Shape, func(at []int) {
		index := 0
		for a, i := range source(at) {
			index += i * step[a]
		}
		origins = append(origins, Origin{Index: index})
	})
	return origins
}
