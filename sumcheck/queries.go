package sumcheck

import (
	"fmt"

	"github.com/zkinfer/zkinfer/claims"
)

// query is how the rows of a lookup are found.
type query struct {
	tensors   int // that are there when arguments is called: the first so many
	arguments func(w *Witness) [][]int64
}

// finder finds the rows of lookups.
type finder struct {
	network *claims.Network
	places  []*claims.Tensor
	rows    []numbers // of every table
	offered int       // leaves of the tree of rows
	found   []uint32
	used    [][]uint32 // by part of parallel: how often each row was found
}

func newFinder(n *claims.Network) *finder {
	f := &finder{network: n, used: make([][]uint32, processors())}
	var asked int
	f.places, asked = n.Places()
	f.found = make([]uint32, asked)
	var tables []*claims.Tensor
	tables, f.offered = n.TablePlaces()
	for _, t := range tables {
		f.rows = append(f.rows, newNumbers(t))
	}
	return f
}

// numbers are those of a table's rows among the leaves of the tree of rows: from first on where they are in one block.
type numbers struct {
	first uint32
	all   []uint32
}

func newNumbers(place *claims.Tensor) numbers {
	if len(place.Blocks) == 1 {
		return numbers{first: uint32(place.Blocks[0].Offset)}
	}
	out := numbers{all: make([]uint32, place.Len())}
	place.Each(func(row, leaf int) { out.all[row] = uint32(leaf) })
	return out
}

func (n *numbers) at(row int) uint32 {
	if n.all == nil {
		return n.first + uint32(row)
	}
	return n.all[row]
}

// of are the elements of a vector over leaves that stand at a table's rows.
func (n *numbers) of(leaves []uint32, rows int) []int64 {
	out := make([]int64, rows)
	for i := range out {
		out[i] = int64(leaves[n.at(i)])
	}
	return out
}

// counts adds up how often each row was found.
func (f *finder) counts() []uint32 {
	out := make([]uint32, f.offered)
	for _, used := range f.used {
		for i, n := range used {
			out[i] += n
		}
	}
	return out
}

// find finds the rows of a lookup's elements. It errs where there is none.
func (f *finder) find(lookup int, arguments [][]int64) error {
	l := &f.network.Lookups[lookup]
	s := search{finder: f, table: &f.network.Tables[l.Table], rows: &f.rows[l.Table], arguments: arguments, missing: make([]int, len(f.used))}
	parts := eachRun(f.places[lookup:lookup+1], func(part, _ int, r run) {
		if f.used[part] == nil {
			f.used[part] = make([]uint32, f.offered)
		}
		s.run(part, r)
	})
	for _, element := range s.missing[:parts] {
		if element > 0 {
			return fmt.Errorf("element %d of lookup %d is in no row of table %d: the execution is of another model", element-1, lookup, l.Table)
		}
	}
	return nil
}

// search is that for the rows of one lookup.
type search struct {
	*finder
	table     *claims.Table
	rows      *numbers
	arguments [][]int64
	missing   []int // by part: an element without a row, plus 1
}

// run looks a run up: what table.Row does, for many.
func (s *search) run(part int, r run) {
	used := s.used[part]
	var flat [64]int
	for done := 0; done < r.n; done += len(flat) {
		rows := flat[:min(len(flat), r.n-done)]
		clear(rows)
		for k, a := range s.table.Arguments {
			for i, v := range s.arguments[k][r.element+done:][:len(rows)] {
				digit := v - a.Min
				if uint64(digit) >= uint64(a.Len) {
					s.missing[part] = r.element + done + i + 1
					return
				}
				rows[i] = rows[i]*a.Len + int(digit)
			}
		}
		found := s.found[r.cell+done:][:len(rows)]
		for i, row := range rows {
			n := s.rows.at(row)
			found[i] = n
			used[n]++
		}
	}
}
