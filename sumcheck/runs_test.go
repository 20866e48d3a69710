package sumcheck

import (
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/zkinfer/zkinfer/claims"
)

// TestEachRun: runs are the cells of Tensor.Each, each once.
func TestEachRun(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	for range 60 {
		var tensors []*claims.Tensor
		for range 1 + rng.IntN(3) {
			shape := make([]int, rng.IntN(5))
			for a := range shape {
				shape[a] = 1 + rng.IntN([]int{2, 9, 19}[rng.IntN(3)])
			}
			tensors = append(tensors, claims.NewTensor(shape...))
		}
		cells := make([][2]int, claims.Place(0, tensors...)) // tensor and element of each
		for i, x := range tensors {
			x.Each(func(element, cell int) { cells[cell] = [2]int{i, element} })
		}
		var lock sync.Mutex
		seen := make([]bool, len(cells))
		eachRun(tensors, func(_, tensor int, r run) {
			lock.Lock()
			defer lock.Unlock()
			for k := range r.n {
				if seen[r.cell+k] || cells[r.cell+k] != [2]int{tensor, r.element + k} {
					t.Fatalf("%v: cell %d is of %v, and not of %d, %d, or was seen", tensors[tensor].Shape, r.cell+k, cells[r.cell+k], tensor, r.element+k)
				}
				seen[r.cell+k] = true
			}
		})
		for cell, ok := range seen {
			if !ok {
				t.Fatalf("cell %d was left out", cell)
			}
		}
	}
}
