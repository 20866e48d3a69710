package sumcheck

import (
	"runtime"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// products is Σ eq·(a·b + …) over rows of lanes, a prefix of rows: those beyond are dead and all alike. First factors are
// kept times eq of the lanes that are not bound, so that a round needs nothing but inner products.
//
// What a round's variable tells apart is a pair: two rows, or the halves of the only row. A round replaces the second by the
// difference of both, which makes the leading coefficient, and which binding adds times r to the first. So pairs fold
// in place: rows that are left lie ever farther apart.
type products struct {
	lanes   int // that are not bound
	live    int // rows that are not bound
	single  bool
	prepare func(row int, spare fr.Vector)
	factors []factor   // two neighbours make a product
	dead    fr.Element // Σ eq·(a·b + …) over a dead row
}

// factor is rows of a vector: row i is run first + i·step.
type factor struct {
	of          []fr.Element
	first, step int
	dead        fr.Vector // a dead row
	edge        fr.Vector // the row after the last, where that has no other neighbour
}

// span is the run i of n neighbours.
func span(v []fr.Element, i, n int) fr.Vector { return v[i*n:][:n] }

// eachRow calls work on parts of rows of so many lanes, on all processors.
func eachRow(rows, lanes int, work func(part, from, to int)) int {
	return shared(rows, max(grain/lanes, 1), work)
}

// add adds a product; a dead row is x·eq and y.
func (s *products) add(a, b factor, eq fr.Vector, x, y fr.Element) {
	for _, f := range []*factor{&a, &b} {
		f.dead, f.edge = make(fr.Vector, s.lanes), make(fr.Vector, s.lanes)
	}
	a.dead.ScalarMul(eq, &x)
	for i := range b.dead {
		b.dead[i] = y
	}
	s.factors = append(s.factors, a, b)
	s.dead.Add(&s.dead, x.Mul(&x, &y))
}

// evaluate is the products of the second of each pair, and of the differences, which replace the second.
func evaluate(low, high []fr.Vector) (one, leading fr.Element) {
	for k := 0; k < len(low); k += 2 {
		v := high[k].InnerProduct(high[k+1])
		one.Add(&one, &v)
		high[k].Sub(high[k], low[k])
		high[k+1].Sub(high[k+1], low[k+1])
		v = high[k].InnerProduct(high[k+1])
		leading.Add(&leading, &v)
	}
	return one, leading
}

// addTimes folds a pair: low becomes low + r·difference.
func addTimes(low, difference fr.Vector, r *fr.Element) {
	difference.ScalarMul(difference, r)
	low.Add(low, difference)
}

// rowRound implements rounds.
func (s *products) rowRound(r *fr.Element, eq []fr.Element) (one, leading fr.Element) {
	before := s.advance(r)
	pairs := (s.live + 1) / 2
	parts := make([][2]fr.Element, runtime.GOMAXPROCS(0))
	used := eachRow(pairs, s.lanes, func(part, from, to int) {
		parts[part] = s.rowPairs(r, eq, before, from, to)
	})
	for i := range used {
		one.Add(&one, &parts[i][0])
		leading.Add(&leading, &parts[i][1])
	}
	rest := fr.One()
	for i := range pairs {
		rest.Sub(&rest, &eq[i])
	}
	one.Add(&one, rest.Mul(&rest, &s.dead))
	return one, leading
}

// rowPairs binds and evaluates some pairs.
func (s *products) rowPairs(r *fr.Element, eq []fr.Element, before, from, to int) (sums [2]fr.Element) {
	low, high := make([]fr.Vector, len(s.factors)), make([]fr.Vector, len(s.factors))
	var spare fr.Vector
	if r == nil {
		spare = make(fr.Vector, s.lanes)
	}
	for i := from; i < to; i++ {
		for row := 2 * i; row < min(2*i+2, s.live); row++ {
			s.bindRow(row, before, r, spare)
		}
		for k := range s.factors {
			low[k], high[k] = s.factors[k].pair(i, s.live, s.lanes)
		}
		one, leading := evaluate(low, high)
		sums[0].Add(&sums[0], one.Mul(&one, &eq[i]))
		sums[1].Add(&sums[1], leading.Mul(&leading, &eq[i]))
	}
	return sums
}

// pair is rows 2i and 2i+1 of a live prefix.
func (f *factor) pair(i, live, lanes int) (low, high fr.Vector) {
	low = span(f.of, f.first+2*i*f.step, lanes)
	if 2*i+1 < live {
		return low, span(f.of, f.first+(2*i+1)*f.step, lanes)
	}
	copy(f.edge, f.dead)
	return low, f.edge
}

// advance halves the number of rows, unless r is nil, and returns what it was.
func (s *products) advance(r *fr.Element) (before int) {
	before = s.live
	if r == nil {
		return before
	}
	s.live = (s.live + 1) / 2
	for k := range s.factors {
		s.factors[k].step *= 2
	}
	return before
}

// bindRow makes a row of two among so many before, or prepares it where nothing was bound.
func (s *products) bindRow(row, before int, r *fr.Element, spare fr.Vector) {
	if r == nil {
		s.prepare(row, spare)
		return
	}
	for k := range s.factors {
		f := &s.factors[k]
		at, difference := f.first+row*f.step, f.edge
		if 2*row+1 < before {
			difference = span(f.of, at+f.step/2, s.lanes)
		}
		addTimes(span(f.of, at, s.lanes), difference, r)
	}
}

// laneRound implements rounds.
func (s *products) laneRound(r *fr.Element, inverses *[2]fr.Element) (one, leading fr.Element) {
	switch {
	case !s.single: // r is of a row's variable
		s.bindRow(0, s.advance(r), r, make(fr.Vector, s.lanes))
		s.single = true
		for k := range s.factors {
			f := &s.factors[k]
			f.of, f.first = span(f.of, f.first, s.lanes), 0
		}
	case r != nil:
		s.lanes /= 2
		for _, f := range s.factors {
			addTimes(span(f.of, 0, s.lanes), span(f.of, 1, s.lanes), r)
		}
	}
	if inverses == nil {
		return one, leading
	}
	low, high := make([]fr.Vector, len(s.factors)), make([]fr.Vector, len(s.factors))
	for k, f := range s.factors {
		low[k], high[k] = span(f.of, 0, s.lanes/2), span(f.of, 1, s.lanes/2)
		if k%2 == 0 { // the round's variable leaves eq
			low[k].ScalarMul(low[k], &inverses[0])
			high[k].ScalarMul(high[k], &inverses[1])
		}
	}
	return evaluate(low, high)
}

// values are the factors of a product where all variables are bound.
func (s *products) values(product int) (a, b fr.Element) {
	return s.factors[2*product].of[0], s.factors[2*product+1].of[0]
}
