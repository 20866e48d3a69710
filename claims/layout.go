package claims

import (
	"fmt"
	"slices"
)

// Layout says which rows of Z are whose. Rows that are nobody's are zero.
type Layout struct {
	RowBits     int
	AddressBits int
	Parameters  Region
	Externals   []Region // of the tensors of owner External, in their order
	Trace       Region
	Pads        Region // of linear messages
}

// Region is a range of rows.
type Region struct{ First, Rows int }

// FirstPad is the cell of the first pad.
func (l *Layout) FirstPad() int { return l.Pads.First << l.RowBits }

// Lay places all tensors in rows of 2^rowBits cells, with room for the pads of so many linear messages. Regions with large
// blocks come first, since a block is aligned to its size. It errs (ErrNetwork) where addresses need too many bits.
func (n *Network) Lay(rowBits, pads int) (*Layout, error) {
	if rowBits < 1 || rowBits > 20 || pads < 0 || pads > maxElements {
		return nil, fmt.Errorf("%w: rows of 2^%d cells, %d pads", ErrNetwork, rowBits, pads)
	}
	l := &Layout{RowBits: rowBits}
	type owned struct {
		tensors []*Tensor
		region  *Region
	}
	parts := []owned{{n.owned(Trace), &l.Trace}, {n.owned(Parameter), &l.Parameters}}
	externals := n.owned(External)
	l.Externals = make([]Region, len(externals))
	for i, t := range externals {
		parts = append(parts, owned{[]*Tensor{t}, &l.Externals[i]})
	}
	slices.SortStableFunc(parts, func(a, b owned) int { return largest(b.tensors) - largest(a.tensors) })
	row := 0
	for _, p := range parts {
		if len(p.tensors) == 0 {
			continue
		}
		if over := largest(p.tensors) - rowBits; over > 0 { // whole blocks begin at multiples of their size
			row = (row + 1<<over - 1) >> over << over
		}
		end := Place(row<<rowBits, p.tensors...)
		*p.region = Region{row, rowsOf(end, rowBits) - row}
		row += p.region.Rows
	}
	l.Pads = Region{row, rowsOf(pads, rowBits)}
	l.AddressBits = max(AxisBits((row+l.Pads.Rows)<<rowBits), rowBits)
	if l.AddressBits > maxAddressBits {
		return nil, fmt.Errorf("%w: 2^%d cells, at most 2^%d", ErrNetwork, l.AddressBits, maxAddressBits)
	}
	return l, nil
}

const maxAddressBits = 30

func rowsOf(cells, rowBits int) int { return (cells + 1<<rowBits - 1) >> rowBits }

// owned are the tensors of an owner, in order.
func (n *Network) owned(o Owner) (out []*Tensor) {
	for i := range n.Tensors {
		if n.Tensors[i].Owner == o {
			out = append(out, n.Tensors[i].Tensor)
		}
	}
	return out
}

// largest is the logarithm of the largest block, −1 for no tensors.
func largest(tensors []*Tensor) int {
	out := -1
	for _, t := range tensors {
		for i := range t.Blocks {
			out = max(out, t.Blocks[i].Bits())
		}
	}
	return out
}

// Seeded are the regions in the order in which a transcript begins with their rows: parameters, externals, trace, pads.
func (l *Layout) Seeded() []Region {
	return append(append([]Region{l.Parameters}, l.Externals...), l.Trace, l.Pads)
}

// End is the number of rows up to the last.
func (l *Layout) End() int {
	end := 0
	for _, r := range l.Seeded() {
		end = max(end, r.First+r.Rows)
	}
	return end
}
