package circuits

import "github.com/consensys/gnark/constraint"

// Dependent returns the committed wires, of all commitments together, whose R1CS columns could not be
// shown to be linearly independent. An empty result means that every commitment binds all of its
// wires; a wire that stands in no constraint is always returned.
//
// The base of a wire is a combination of its three columns with independent secrets, so rows of A, B
// and C count separately. A wire that is the only one left in some row is independent of all others
// left; taking such wires away one after another is a triangular elimination.
func Dependent(rows []constraint.R1C, commitments constraint.Groth16Commitments) []int {
	p := newPeeling(commitments)
	for _, r := range rows {
		for _, side := range []constraint.LinearExpression{r.L, r.R, r.O} {
			p.addRow(side)
		}
	}
	return p.run()
}

type peeling struct {
	committed map[int]bool
	rows      [][]int       // committed wires of each row
	left      []int         // how many of them are left
	rowsOf    map[int][]int // by wire
}

func newPeeling(commitments constraint.Groth16Commitments) *peeling {
	p := &peeling{committed: map[int]bool{}, rowsOf: map[int][]int{}}
	for _, c := range commitments {
		for _, w := range c.PrivateCommitted {
			p.committed[w] = true
		}
	}
	return p
}

func (p *peeling) addRow(side constraint.LinearExpression) {
	var wires []int
	for _, t := range side {
		if w := t.WireID(); p.committed[w] && t.CoeffID() != constraint.CoeffIdZero {
			wires = append(wires, w)
		}
	}
	if len(wires) == 0 {
		return
	}
	for _, w := range wires {
		p.rowsOf[w] = append(p.rowsOf[w], len(p.rows))
	}
	p.rows = append(p.rows, wires)
	p.left = append(p.left, len(wires))
}

func (p *peeling) run() []int {
	var queue []int
	for i, n := range p.left {
		if n == 1 {
			queue = append(queue, i)
		}
	}
	for len(queue) > 0 {
		row := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		for _, w := range p.rows[row] {
			if !p.committed[w] {
				continue
			}
			delete(p.committed, w)
			for _, r := range p.rowsOf[w] {
				if p.left[r]--; p.left[r] == 1 {
					queue = append(queue, r)
				}
			}
		}
	}
	var out []int
	for w := range p.committed {
		out = append(out, w)
	}
	return out
}
