package sumcheck

import (
	"github.com/zkinfer/zkinfer/claims"
)

// run is elements of a tensor, row-major, that stand in a row of cells.
type run struct{ element, cell, n int }

// eachRun visits all cells of some tensors in runs, on all processors; part is that of parallel, and so is the number
// that it returns.
func eachRun(tensors []*claims.Tensor, visit func(part, tensor int, r run)) int {
	total := 0
	for _, t := range tensors {
		total += t.Len()
	}
	return parallel(total, func(part, from, to int) {
		for i, t := range tensors {
			for k := range t.Blocks {
				b := &t.Blocks[k]
				size := 1 << b.Bits()
				if from < size && to > 0 {
					runsOf(b, t.Shape, max(from, 0), min(to, size), func(r run) { visit(part, i, r) })
				}
				from, to = from-size, to-size
			}
		}
	})
}

// runsOf visits the runs of a block that begin at its cells from ≤ cell < to. A run is what the block has of the last
// axis, and of the axes before as far as it has all of those after them.
func runsOf(b *claims.TensorBlock, shape []int, from, to int, visit func(r run)) {
	first := len(shape) - 1
	n := 1
	for ; first >= 0; first-- {
		n <<= b.Parts[first].Bits
		if 1<<b.Parts[first].Bits < shape[first] {
			break
		}
	}
	steps := strides(shape)
	base := 0
	for a, p := range b.Parts {
		base += p.Start * steps[a]
	}
	for cell := (from + n - 1) / n * n; cell < to; cell += n {
		element, rest := base, cell/n
		for a := first - 1; a >= 0; a-- {
			element += rest & (1<<b.Parts[a].Bits - 1) * steps[a]
			rest >>= b.Parts[a].Bits
		}
		visit(run{element, b.Offset + cell, n})
	}
}
