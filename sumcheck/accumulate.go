package sumcheck

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/claims"
)

// A tile is copied column by column, so that a column's sum stays in registers while memory is read by the row.
const (
	tileRows    = 64
	tileColumns = 32
)

// combine is Σ_i weights[i]·row i, column by column, where row i is values[offsets[i]:][:width].
func combine(weights []fr.Element, offsets []int, values []int64, width int) []fr.Element {
	rows := len(offsets)
	out := make([]fr.Element, width)
	if rows == 0 {
		return out
	}
	var sums []claims.Accumulator
	if rows >= width { // every processor has some rows, or else some columns
		sums = tall(weights, offsets, values, width)
	} else {
		sums = make([]claims.Accumulator, width)
		parallel(rows*width, func(_, from, to int) {
			accumulate(sums[from/rows:to/rows], weights, offsets, values[from/rows:])
		})
	}
	all := claims.Excess(weights)
	for k := range out {
		out[k] = sums[k].Value(&all)
	}
	return out
}

// tall cuts the rows among processors.
func tall(weights []fr.Element, offsets []int, values []int64, width int) []claims.Accumulator {
	partial := make([][]claims.Accumulator, processors())
	parts := parallel(len(offsets)*width, func(part, from, to int) {
		partial[part] = make([]claims.Accumulator, width)
		from, to = from/width, to/width
		accumulate(partial[part], weights[from:to], offsets[from:to], values)
	})
	for _, p := range partial[1:parts] {
		for k := range p {
			partial[0][k].Join(&p[k])
		}
	}
	return partial[0]
}

// accumulate adds rows to one sum a column, from values' first on.
func accumulate(sums []claims.Accumulator, weights []fr.Element, offsets []int, values []int64) {
	var tile [tileColumns * tileRows]int64
	for row := 0; row < len(offsets); row += tileRows {
		n := min(tileRows, len(offsets)-row)
		for first := 0; first < len(sums); first += tileColumns {
			columns := min(tileColumns, len(sums)-first)
			for i, at := range offsets[row : row+n] {
				for k, v := range values[at+first:][:columns] {
					tile[k*tileRows+i] = v
				}
			}
			for k := range columns {
				sums[first+k].Add(weights[row:row+n], tile[k*tileRows:])
			}
		}
	}
}
