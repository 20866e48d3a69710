package circuits

import (
	"fmt"
	"math/big"

	"github.com/consensys/gnark/frontend"

	"github.com/zkinfer/zkinfer/model"
)

// requantizer checks a = f(q) for every element of a rescaled op. The accumulator is never a wire: it
// is an expression of what is checked, and the linear layer constrains it. Channels that round alike
// make a part.
type requantizer struct {
	node  int
	out   model.TensorID
	r     *model.Rescale
	count int
	parts []*requantized
}

func newRequantizer(p *Plan, node int, op model.Rescaled) *requantizer {
	n := &p.graph.Nodes[node]
	out := p.tensor(n.Out)
	z := &requantizer{node: node, out: n.Out, r: op.Requantization(), count: out.Len()}
	channels, inner := model.Channels(op, *out)
	byRounding := map[model.Rounding]*requantized{}
	for i := range z.count {
		rounding := model.HalfUp
		if z.r.Roundings != nil {
			rounding = z.r.Roundings[i/inner%channels]
		}
		part, ok := byRounding[rounding]
		if !ok {
			part = &requantized{r: z.r, rounding: rounding}
			byRounding[rounding] = part
			z.parts = append(z.parts, part)
		}
		part.elements = append(part.elements, i)
	}
	for _, part := range z.parts {
		part.complete()
	}
	return z
}

func (z *requantizer) demand(d *demands) {
	for _, part := range z.parts {
		part.demand(d)
	}
}

func (z *requantizer) allocate(p *Plan) error {
	for _, part := range z.parts {
		if err := part.allocate(p); err != nil {
			return err
		}
	}
	return nil
}

func (z *requantizer) constraints() int {
	n := 0
	for _, part := range z.parts {
		n += part.constraints()
	}
	return n
}

func (z *requantizer) assign(w *Witness) {
	for _, part := range z.parts {
		for k, i := range part.elements {
			part.set(w, k, w.trace.Acc[z.node][i])
		}
	}
}

// define checks every element, sets the expressions of the output, and returns the accumulators'.
func (z *requantizer) define(b *builder) []frontend.Variable {
	acc := make([]frontend.Variable, z.count)
	out := make([]frontend.Variable, z.count)
	for _, part := range z.parts {
		for k, i := range part.elements {
			acc[i], out[i] = part.define(b, k)
		}
	}
	b.values[z.out] = out
	return acc
}

// requantized are elements that round alike: acc = (c + over − under)·2^T + rest − 2^(T−1), where c is
// an argument of the table and the rounding says what rest may be. over is not 0 only at the table's
// upper end, under only at its lower end.
type requantized struct {
	r        *model.Rescale
	rounding model.Rounding
	table    model.Table // the part of r's that arguments reach
	elements []int       // of the output

	step        step
	over, under *ranged // nil where the table reaches QMax, QMin
}

// step checks one element within the table: which arguments and rests go together, and what output
// they have.
type step interface {
	demand(d *demands)
	allocate(p *Plan) error
	constraints() int
	// split is the argument of an accumulator, by how much its quotient exceeds it, and the rest.
	split(acc int64) (argument, excess, rest int64)
	// set records element k.
	set(w *Witness, k int, argument, rest int64)
	// define checks element k. index is the argument less the table's least.
	define(b *builder, k int) (index, rest, out frontend.Variable)
}

func (z *requantized) complete() {
	z.table = z.r.Reached()
	n := len(z.elements)
	if excess := z.r.QMax - z.table.Max(); excess > 0 {
		z.over = newRanged(excess+1, n, false)
	}
	if excess := z.table.Min - z.r.QMin; excess > 0 {
		z.under = newRanged(excess+1, n, false)
	}
	switch {
	case z.rounding == model.Binary32:
		z.step = newFloatStep(z)
	case z.rounding.TieBits() > 0:
		z.step = newAwayStep(z)
	default:
		z.step = newFloorStep(z)
	}
}

// excesses are those that are there.
func (z *requantized) excesses() []*ranged {
	var out []*ranged
	for _, r := range []*ranged{z.over, z.under} {
		if r != nil {
			out = append(out, r)
		}
	}
	return out
}

func (z *requantized) demand(d *demands) {
	z.step.demand(d)
	for _, r := range z.excesses() {
		r.demand(d)
	}
}

func (z *requantized) allocate(p *Plan) error {
	for _, r := range z.excesses() {
		r.allocate(p)
	}
	return z.step.allocate(p)
}

func (z *requantized) constraints() int {
	n := z.step.constraints()
	for _, r := range z.excesses() {
		n += r.constraints() + len(z.elements)
	}
	return n
}

func (z *requantized) set(w *Witness, k int, acc int64) {
	argument, excess, rest := z.step.split(acc)
	z.step.set(w, k, argument, rest)
	if z.over != nil {
		z.over.set(w, k, uint64(max(excess, 0)))
	}
	if z.under != nil {
		z.under.set(w, k, uint64(max(-excess, 0)))
	}
	if excess > 0 && z.over == nil || excess < 0 && z.under == nil {
		w.fail(fmt.Errorf("accumulator %d: its quotient exceeds the range [%d, %d] by %d", acc, z.r.QMin, z.r.QMax, excess))
	}
}

func (z *requantized) define(b *builder, k int) (acc, out frontend.Variable) {
	index, rest, out := z.step.define(b, k)
	q := b.api.Add(index, z.table.Min)
	if z.over != nil {
		q = b.api.Add(q, z.excess(b, z.over, k, b.api.Sub(len(z.table.Values)-1, index)))
	}
	if z.under != nil {
		q = b.api.Sub(q, z.excess(b, z.under, k, index))
	}
	acc = b.scale(q, pow2(z.r.Shift))
	if z.r.Shift > 0 {
		acc = b.api.Sub(b.api.Add(acc, rest), pow2(z.r.Shift-1))
	}
	return acc, out
}

// excess is the value of r, which may differ from 0 only at distance 0 from an end of the table.
func (z *requantized) excess(b *builder, r *ranged, k int, distance frontend.Variable) frontend.Variable {
	v := r.value(b, k)
	r.define(b, k, v)
	b.product(v, distance, 0)
	return v
}

// floorSplit is split for the half-up quotient.
func (z *requantized) floorSplit(acc int64) (argument, excess, rest int64) {
	q := z.r.Floor(acc)
	argument = min(max(q, z.table.Min), z.table.Max())
	return argument, q - argument, z.r.Remainder(acc)
}

// floorStep is HalfUp: 0 ≤ rest < 2^T, a = f(c).
type floorStep struct {
	*requantized
	rem      *ranged   // nil for T = 0
	argument span      // c less the table's least argument, unless the table is a translation
	identity *ranged   // the same for a translation, whose range check is all there is
	lookup   *function // nil for a translation
}

func newFloorStep(z *requantized) *floorStep {
	s := &floorStep{requantized: z}
	n := len(z.elements)
	if z.r.Shift > 0 {
		s.rem = newBits(z.r.Shift, n, false)
	}
	if isTranslation(&z.table) {
		s.identity = newRanged(int64(len(z.table.Values)), n, false)
	} else {
		s.lookup = newFunction(z.table, n)
	}
	return s
}

// isTranslation tells whether the table adds a constant.
func isTranslation(t *model.Table) bool {
	for i, v := range t.Values {
		if v != t.Values[0]+int64(i) {
			return false
		}
	}
	return true
}

// ranges are those that are there.
func (s *floorStep) ranges() []*ranged {
	var out []*ranged
	for _, r := range []*ranged{s.rem, s.identity} {
		if r != nil {
			out = append(out, r)
		}
	}
	return out
}

func (s *floorStep) demand(d *demands) {
	for _, r := range s.ranges() {
		r.demand(d)
	}
}

func (s *floorStep) allocate(p *Plan) error {
	for _, r := range s.ranges() {
		r.allocate(p)
	}
	if s.lookup == nil {
		return nil
	}
	s.argument = p.wires(len(s.elements))
	return s.lookup.allocate(p)
}

func (s *floorStep) constraints() int {
	n := 0
	for _, r := range s.ranges() {
		n += r.constraints()
	}
	if s.lookup != nil {
		n += s.lookup.constraints()
	}
	return n
}

func (s *floorStep) split(acc int64) (argument, excess, rest int64) { return s.floorSplit(acc) }

func (s *floorStep) set(w *Witness, k int, argument, rest int64) {
	if s.rem != nil {
		s.rem.set(w, k, uint64(rest))
	}
	if s.identity != nil {
		s.identity.set(w, k, uint64(argument-s.table.Min))
		return
	}
	w.set(s.argument, k, uint64(argument-s.table.Min))
	s.lookup.set(w, k, argument)
}

func (s *floorStep) define(b *builder, k int) (index, rest, out frontend.Variable) {
	if s.identity != nil {
		index = s.identity.value(b, k)
		s.identity.define(b, k, index)
		out = b.api.Add(index, s.table.Values[0])
	} else {
		index = b.wire(s.argument, k)
		out = s.lookup.define(b, k, index)
	}
	rest = 0
	if s.rem != nil {
		rest = s.rem.value(b, k)
		s.rem.define(b, k, rest)
	}
	return index, rest, out
}

// awayStep is HalfAway(e): rest = high·2^(T−e) + low, and z, that high is 0, is looked up with it;
// a = f(c − z) for c ≤ 0, else f(c), is looked up under c and z.
type awayStep struct {
	*requantized
	low      *ranged // nil for T = e
	lowBits  uint
	argument span // c less the table's least argument
	high     span
	tie      span
	image    span   // a less the least
	ties     *table // high, [high = 0]
	outputs  *table // c, z, a
	least    int64  // a
}

func newAwayStep(z *requantized) *awayStep {
	s := &awayStep{requantized: z, lowBits: z.r.Shift - z.rounding.TieBits()}
	s.least, _ = z.table.Range()
	if s.lowBits > 0 {
		s.low = newBits(s.lowBits, len(z.elements), false)
	}
	return s
}

func (s *awayStep) demand(d *demands) {
	if s.low != nil {
		s.low.demand(d)
	}
}

func (s *awayStep) allocate(p *Plan) error {
	n := len(s.table.Values)
	if 2*n > 1<<maxTableBits {
		return fmt.Errorf("%w: function table of twice %d rows (at most 2^%d)", ErrTooLarge, n, maxTableBits)
	}
	zero := make([]int64, 1<<s.rounding.TieBits())
	zero[0] = 1
	s.ties = p.tables.table(len(zero), nil, zero)
	argument, tie, image := make([]int64, 2*n), make([]int64, 2*n), make([]int64, 2*n)
	for row := range 2 * n {
		c := s.table.Min + int64(row%n)
		argument[row], tie[row] = int64(row%n), int64(row/n)
		if c <= 0 {
			c = max(c-tie[row], s.table.Min)
		}
		image[row] = s.table.At(c) - s.least
	}
	s.outputs = p.tables.table(2*n, argument, tie, image)
	if s.low != nil {
		s.low.allocate(p)
	}
	for _, wires := range []*span{&s.argument, &s.high, &s.tie, &s.image} {
		*wires = p.wires(len(s.elements))
	}
	return nil
}

// constraints are two queries and two columns an element, and the low bits.
func (s *awayStep) constraints() int {
	n := 4 * len(s.elements)
	if s.low != nil {
		n += s.low.constraints()
	}
	return n
}

func (s *awayStep) split(acc int64) (argument, excess, rest int64) { return s.floorSplit(acc) }

func (s *awayStep) set(w *Witness, k int, argument, rest int64) {
	if s.low != nil {
		s.low.set(w, k, uint64(rest)&(1<<s.lowBits-1))
	}
	high := int(rest >> s.lowBits)
	tie := s.ties.at(1, high)
	row := int(argument-s.table.Min) + int(tie)*len(s.table.Values)
	w.count(s.ties, uint64(high))
	w.count(s.outputs, uint64(row))
	w.set(s.argument, k, uint64(argument-s.table.Min))
	w.set(s.high, k, uint64(high))
	w.set(s.tie, k, uint64(tie))
	w.set(s.image, k, uint64(s.outputs.at(2, row)))
}

func (s *awayStep) define(b *builder, k int) (index, rest, out frontend.Variable) {
	index = b.wire(s.argument, k)
	high, image := b.wire(s.high, k), b.wire(s.image, k)
	tie := b.column(1, b.wire(s.tie, k))
	b.lookup(s.ties, b.api.Add(high, tie))
	b.lookup(s.outputs, b.api.Add(index, tie, b.column(2, image)))
	rest = b.scale(high, pow2(s.lowBits))
	if s.low != nil {
		low := s.low.value(b, k)
		s.low.define(b, k, low)
		rest = b.api.Add(rest, low)
	}
	return index, rest, b.api.Add(image, s.least)
}

// floatStep is Binary32: with the boundaries below and above c displaced by d(c) and d(c+1),
// d(c) ≤ rest < 2^T + d(c+1). The displacements are looked up with a = f(c).
type floatStep struct {
	*requantized
	below, above *ranged // rest − d(c), and 2^T + d(c+1) − 1 − rest
	argument     span    // c less the table's least argument
	image        span    // a less the least
	from, to     span    // d(c), d(c+1), less the least displacement
	rows         *table  // c, a, d(c), d(c+1)
	least        int64   // a
	leastMove    int64   // displacement
	moves        []int64 // d of the table's arguments and of the next one
}

func newFloatStep(z *requantized) *floatStep {
	s := &floatStep{requantized: z}
	s.least, _ = z.table.Range()
	for c := z.table.Min; c <= z.table.Max()+1; c++ {
		s.moves = append(s.moves, z.r.Displacement(c))
	}
	s.leastMove = s.moves[0]
	for _, m := range s.moves {
		s.leastMove = min(s.leastMove, m)
	}
	n := len(z.elements)
	s.below = newBits(z.r.Shift+1, n, false)
	s.above = newBits(z.r.Shift+1, n, true)
	return s
}

func (s *floatStep) demand(d *demands) {
	s.below.demand(d)
	s.above.demand(d)
}

// bounds are the displacements at both sides of the table's i-th argument. Where quotients may lie
// beyond an end of the table, steps of full length follow one another there, as excesses count them.
func (s *floatStep) bounds(i int) (from, to int64) {
	from, to = s.moves[i], s.moves[i+1]
	if i == 0 && s.under != nil {
		from = to
	}
	if i == len(s.moves)-2 && s.over != nil {
		to = from
	}
	return from, to
}

func (s *floatStep) allocate(p *Plan) error {
	n := len(s.table.Values)
	if n > 1<<maxTableBits {
		return fmt.Errorf("%w: function table of %d rows (at most 2^%d)", ErrTooLarge, n, maxTableBits)
	}
	image, from, to := make([]int64, n), make([]int64, n), make([]int64, n)
	for i := range n {
		image[i] = s.table.Values[i] - s.least
		lo, hi := s.bounds(i)
		from[i], to[i] = lo-s.leastMove, hi-s.leastMove
	}
	s.rows = p.tables.table(n, nil, image, from, to)
	s.below.allocate(p)
	s.above.allocate(p)
	for _, wires := range []*span{&s.argument, &s.image, &s.from, &s.to} {
		*wires = p.wires(len(s.elements))
	}
	return nil
}

// constraints are a query and three columns an element, and two range checks.
func (s *floatStep) constraints() int {
	return 4*len(s.elements) + s.below.constraints() + s.above.constraints()
}

func (s *floatStep) split(acc int64) (argument, excess, rest int64) {
	// No channel's own rounding is asked for: all of this part round so.
	q := s.r.Binary32Quotient(acc)
	argument = min(max(q, s.table.Min), s.table.Max())
	from, _ := s.bounds(int(argument - s.table.Min))
	beyond := argument == s.table.Min && s.under != nil || argument == s.table.Max() && s.over != nil
	if beyond {
		excess = s.r.Floor(acc-from) - argument
	}
	return argument, excess, acc - s.r.Least(argument+excess)
}

func (s *floatStep) set(w *Witness, k int, argument, rest int64) {
	row := int(argument - s.table.Min)
	from, to := s.bounds(row)
	s.below.set(w, k, uint64(rest-from))
	s.above.set(w, k, uint64(1<<s.r.Shift+to-1-rest))
	w.count(s.rows, uint64(row))
	w.set(s.argument, k, uint64(row))
	w.set(s.image, k, uint64(s.rows.at(1, row)))
	w.set(s.from, k, uint64(s.rows.at(2, row)))
	w.set(s.to, k, uint64(s.rows.at(3, row)))
}

func (s *floatStep) define(b *builder, k int) (index, rest, out frontend.Variable) {
	index = b.wire(s.argument, k)
	image, from, to := b.wire(s.image, k), b.wire(s.from, k), b.wire(s.to, k)
	b.lookup(s.rows, b.api.Add(index, b.column(1, image), b.column(2, from), b.column(3, to)))
	below := s.below.value(b, k)
	s.below.define(b, k, below)
	length := new(big.Int).Sub(pow2(s.r.Shift), big.NewInt(1))
	s.above.define(b, k, b.api.Sub(b.api.Add(b.api.Sub(to, from), length), below))
	rest = b.api.Add(below, from, s.leastMove)
	return index, rest, b.api.Add(image, s.least)
}
