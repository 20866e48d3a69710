package sumcheck

import (
	"sync"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// products is Σ eq·(a·b + …) over rows of lanes, a prefix of rows: those beyond are dead and all alike. First factors are
// kept times eq of the lanes that are not bound, so that a round needs nothing but inner products.
//
// What a round's variable tells apart is a pair: two rows, or the halves of the only row. A round replaces the second by the
// difference of both, which makes the leading coefficient, and which binding adds times r to the first. So pairs fold
// in place: rows that are left lie ever farther apart.
type products struct {
	lanes  int // that are not bound
	live   int // rows that are not bound
	single bool
	// load computes rows before anything is bound, for factors that are not in memory yet; nil once they are. Memory has room
	// for half of the rows: those of even numbers are kept there as they are loaded, others are loaded twice.
	load func(row int, to []fr.Vector, spare fr.Vector)
	// finish makes factors of a row, or of what was combined linearly of rows.
	finish  func(v []fr.Vector, spare fr.Vector)
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

// work is what a goroutine needs besides factors.
type work struct {
	low, high []fr.Vector // a pair
	row       []fr.Vector // memory of a row, where it is needed
	spare     fr.Vector
}

// reserve makes memory of a row of so many factors, and to spare, once: one goroutine does one kind of thing.
func (w *work) reserve(factors, lanes int) {
	if w.row != nil {
		return
	}
	w.row, w.spare = make([]fr.Vector, factors), make(fr.Vector, lanes)
	for k := range w.row {
		w.row[k] = make(fr.Vector, lanes)
	}
}

func (s *products) work() *work {
	return &work{low: make([]fr.Vector, len(s.factors)), high: make([]fr.Vector, len(s.factors))}
}

// rowOf are the factors' spans of a row.
func (s *products) rowOf(v []fr.Vector, row int) []fr.Vector {
	for k := range s.factors {
		f := &s.factors[k]
		v[k] = span(f.of, f.first+row*f.step, s.lanes)
	}
	return v
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
	pair := s.loadPair
	if s.load == nil || r != nil {
		bind := s.advance(r)
		pair = func(i int, w *work) (one, leading fr.Element) { return s.bindPair(i, bind, w) }
	}
	pairs := (s.live + 1) / 2
	var lock sync.Mutex
	eachRow(pairs, s.lanes, func(_, from, to int) {
		var sums [2]fr.Element
		w := s.work()
		for i := from; i < to; i++ {
			a, b := pair(i, w)
			sums[0].Add(&sums[0], a.Mul(&a, &eq[i]))
			sums[1].Add(&sums[1], b.Mul(&b, &eq[i]))
		}
		lock.Lock()
		defer lock.Unlock()
		one.Add(&one, &sums[0])
		leading.Add(&leading, &sums[1])
	})
	rest := fr.One()
	for i := range pairs {
		rest.Sub(&rest, &eq[i])
	}
	one.Add(&one, rest.Mul(&rest, &s.dead))
	return one, leading
}

// loadPair evaluates a pair in the first round, and leaves its first row where it will be folded.
func (s *products) loadPair(i int, w *work) (one, leading fr.Element) {
	w.reserve(len(s.factors), s.lanes)
	low := s.rowOf(w.low, i)
	s.load(2*i, low, w.spare)
	s.loadDifference(i, low, w)
	s.finish(w.row, w.spare)
	for k := 0; k < len(low); k += 2 {
		v := w.row[k].InnerProduct(w.row[k+1])
		leading.Add(&leading, &v)
	}
	return one, leading
}

// loadDifference computes row 2i+1 less row 2i.
func (s *products) loadDifference(i int, low []fr.Vector, w *work) {
	s.load(2*i+1, w.row, w.spare)
	for k := range low {
		w.row[k].Sub(w.row[k], low[k])
	}
}

// foldLoaded binds the first variable.
func (s *products) foldLoaded(i int, r *fr.Element, w *work) {
	w.reserve(len(s.factors), s.lanes)
	low := s.rowOf(w.low, i)
	s.loadDifference(i, low, w)
	for k := range low {
		addTimes(low[k], w.row[k], r)
	}
	s.finish(low, w.spare)
}

// bindPair binds two rows and evaluates them.
func (s *products) bindPair(i int, bind func(row int, w *work), w *work) (one, leading fr.Element) {
	for row := 2 * i; row < min(2*i+2, s.live); row++ {
		bind(row, w)
	}
	for k := range s.factors {
		w.low[k], w.high[k] = s.factors[k].pair(i, s.live, s.lanes)
	}
	return evaluate(w.low, w.high)
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

// advance halves the number of rows, unless r is nil, and returns what makes one of them.
func (s *products) advance(r *fr.Element) (bind func(row int, w *work)) {
	before, load := s.live, s.load
	if r != nil {
		s.live = (s.live + 1) / 2
	}
	switch {
	case r == nil && load == nil:
		return func(row int, w *work) {
			w.reserve(0, s.lanes)
			s.finish(s.rowOf(w.low, row), w.spare)
		}
	case r == nil: // the only row
		return func(row int, w *work) {
			w.reserve(0, s.lanes)
			s.load(row, s.rowOf(w.low, row), w.spare)
			s.finish(w.low, w.spare)
		}
	case load != nil:
		loaded := *s
		s.load = nil
		return func(row int, w *work) { loaded.foldLoaded(row, r, w) }
	}
	for k := range s.factors {
		s.factors[k].step *= 2
	}
	return func(row int, _ *work) { s.foldRows(row, before, r) }
}

// foldRows makes a row of two among so many before.
func (s *products) foldRows(row, before int, r *fr.Element) {
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
		s.advance(r)(0, s.work())
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
