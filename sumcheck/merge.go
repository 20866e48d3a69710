package sumcheck

import (
	"iter"
	"math/bits"
	"slices"
	"sync"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/claims"
	"github.com/zkinfer/zkinfer/internal/share"
)

// merge is Σ_x Z(x)·E(x) for integers Z and blocks E; it implements claims.ProductProver.
//
// An address is a chunk and a place in it, its low bits, which are bound first. A block is a weight for each chunk times
// a vector over places, and blocks share few vectors L_g. So, as long as places are bound,
//
//	Σ_x Z(x)·E(x) = Σ_g Σ_place L_g(place)·W_g(place),  W_g(place) = Σ_chunk weight_g(chunk)·Z(chunk, place):
//
// a short sum of products, after one pass of weights times small integers over Z for each block. Another pass
// gives Z with all places bound, one element a chunk, and the sum goes on over chunks. Neither E nor Z is ever
// written down as elements. (The same two phases as in Libra, ePrint 2019/317, for the layers of a circuit.)
//
// Chunks that hold pads, or blocks smaller than a chunk, or the end of the cells are sums of products of their own.
type merge struct {
	low        int // bits of a place
	cells      []int64
	groups     []*chunkGroup
	dense      []denseChunk
	denseIndex map[int]int // by chunk

	places *Product     // groups, then dense chunks, one after the other
	bound  []fr.Element // challenges for places, lowest bit first
	chunks *Product     // nil while places are bound
	length int          // of chunks that may differ from 0
}

// NewMerge is the prover of Σ_x Z(x)·E(x) over 2^addressBits addresses: Z is cells from address 0 on, then
// pads from firstPad on, which is not before the cells' end, and 0 elsewhere; E is the sum of the blocks. It keeps
// cells.
func NewMerge(addressBits int, cells []int64, pads []fr.Element, firstPad int, blocks []claims.Block) claims.ProductProver {
	low := placeBits(addressBits, len(cells), len(blocks))
	m := &merge{low: low, cells: cells, denseIndex: map[int]int{}, length: 1}
	groups, small := chunkGroups(blocks, low)
	m.groups = groups
	m.reach(len(cells))
	m.reach(firstPad + len(pads))
	for i := range blocks {
		m.reach(blocks[i].Offset + 1<<blocks[i].Bits())
	}
	m.list()
	m.addDense(pads, firstPad, small)
	m.places = m.sums()
	if low == 0 {
		m.bindPlaces()
	}
	return m
}

// reach says that addresses before end may differ from 0.
func (m *merge) reach(end int) { m.length = max(m.length, (end+1<<m.low-1)>>m.low) }

// placeBits balances the short sums, a vector over places for each group, with the sum over chunks.
func placeBits(addressBits, cells, blocks int) int {
	return min(max(bits.Len(uint(cells/max(blocks, 1)))/2, 3), 10, addressBits)
}

// list lists the chunks of all groups.
func (m *merge) list() {
	share.Out(len(m.groups), func(items iter.Seq[int]) {
		slots := make([]int32, m.length)
		for g := range items {
			m.groups[g].list(slots)
		}
	})
}

// denseChunk is Z and E of a chunk.
type denseChunk struct {
	chunk int
	z, e  []fr.Element
}

// addDense makes the dense chunks: of pads and of cells that do not fill a chunk, which leave the groups, and of small blocks.
func (m *merge) addDense(pads []fr.Element, firstPad int, small []*claims.Block) {
	size := 1 << m.low
	m.addRange(len(m.cells)&^(size-1), len(m.cells))
	m.addRange(firstPad, firstPad+len(pads))
	for i := range pads {
		m.denseAt((firstPad + i) >> m.low).z[(firstPad+i)&(size-1)] = pads[i]
	}
	for _, b := range small {
		at := claims.Block{Offset: b.Offset & (size - 1), Coefficient: b.Coefficient, Factors: b.Factors}
		at.AddTo(m.denseAt(b.Offset >> m.low).e)
	}
}

// addRange makes the chunks of some addresses dense.
func (m *merge) addRange(from, to int) {
	if from == to {
		return
	}
	first, end := from>>m.low, (to-1)>>m.low+1
	for chunk := first; chunk < end; chunk++ {
		m.denseAt(chunk)
	}
	for _, g := range m.groups {
		g.take(first, end, func(chunk int, weight *fr.Element) {
			addScaled(m.denseAt(chunk).e, weight, g.low)
		})
	}
}

// denseAt is a dense chunk, made where there is none.
func (m *merge) denseAt(chunk int) *denseChunk {
	if at, ok := m.denseIndex[chunk]; ok {
		return &m.dense[at]
	}
	size := 1 << m.low
	d := denseChunk{chunk, make([]fr.Element, size), make([]fr.Element, size)}
	for i, v := range m.chunk(chunk) {
		d.z[i].SetInt64(v)
	}
	m.denseIndex[chunk] = len(m.dense)
	m.dense = append(m.dense, d)
	return &m.dense[len(m.dense)-1]
}

// chunk is the cells of a chunk.
func (m *merge) chunk(chunk int) []int64 {
	return m.cells[min(chunk<<m.low, len(m.cells)):min((chunk+1)<<m.low, len(m.cells))]
}

// addScaled adds weight·v to sum.
func addScaled(sum []fr.Element, weight *fr.Element, v []fr.Element) {
	var x fr.Element
	for i := range v {
		sum[i].Add(&sum[i], x.Mul(weight, &v[i]))
	}
}

// piece is the number of chunks of a group that are added up at a time.
const piece = 512

// sums is the sum of products over places.
func (m *merge) sums() *Product {
	size := 1 << m.low
	n := (len(m.groups) + len(m.dense)) * size
	z, e := make([]fr.Element, n), make([]fr.Element, n)
	var pieces [][2]int // group, first chunk
	for i, g := range m.groups {
		copy(e[i*size:], g.low)
		for from := 0; from < len(g.chunks); from += piece {
			pieces = append(pieces, [2]int{i, from})
		}
	}
	for i, d := range m.dense {
		at := (len(m.groups) + i) * size
		copy(z[at:], d.z)
		copy(e[at:], d.e)
	}
	var lock sync.Mutex
	share.Out(len(pieces), func(items iter.Seq[int]) {
		for i := range items {
			group, from := pieces[i][0], pieces[i][1]
			sum := m.weigh(m.groups[group], from, from+piece)
			lock.Lock()
			addElements(z[group*size:], sum)
			lock.Unlock()
		}
	})
	return NewProduct(z, e)
}

// weigh is the sum of weight times cells for some chunks of a group.
func (m *merge) weigh(g *chunkGroup, from, to int) []fr.Element {
	var offsets []int
	var weights []fr.Element
	for k := from; k < min(to, len(g.chunks)); k++ {
		if chunk := int(g.chunks[k]); !allZero(m.chunk(chunk)) {
			offsets = append(offsets, chunk<<m.low)
			weights = append(weights, g.weights[k])
		}
	}
	sums, out := make([]claims.Accumulator, 1<<m.low), make([]fr.Element, 1<<m.low)
	accumulate(sums, weights, offsets, m.cells)
	all := claims.Excess(weights)
	for k := range out {
		out[k] = sums[k].Value(&all)
	}
	return out
}

func allZero(cells []int64) bool {
	for _, v := range cells {
		if v != 0 {
			return false
		}
	}
	return true
}

// addElements adds v to sum.
func addElements(sum, v []fr.Element) {
	for i := range v {
		sum[i].Add(&sum[i], &v[i])
	}
}

// bindPlaces goes on with chunks when all places are bound.
func (m *merge) bindPlaces() {
	z, e := make([]fr.Element, m.length), make([]fr.Element, m.length)
	slices.Reverse(m.bound) // top bit first
	eq := claims.EqTable(m.bound)
	all := claims.Excess(eq)
	parallel(len(m.cells), func(_, from, to int) {
		for chunk := from >> m.low; chunk < to>>m.low; chunk++ {
			var sum claims.Accumulator
			sum.Add(eq, m.chunk(chunk))
			z[chunk] = sum.Value(&all)
		}
	})
	// The products over places have one element left for each group and dense chunk.
	for i, g := range m.groups {
		for k, chunk := range g.chunks {
			var v fr.Element
			e[chunk].Add(&e[chunk], v.Mul(&g.weights[k], &m.places.b[i]))
		}
	}
	for i, d := range m.dense {
		at := len(m.groups) + i
		z[d.chunk] = m.places.a[at]
		e[d.chunk].Add(&e[d.chunk], &m.places.b[at])
	}
	m.chunks = NewProduct(z, e)
	m.groups, m.dense, m.places = nil, nil, nil
}

// now is the sum of products at hand.
func (m *merge) now() *Product {
	if m.chunks != nil {
		return m.chunks
	}
	return m.places
}

// Sum implements claims.ProductProver.
func (m *merge) Sum() fr.Element { return m.now().Sum() }

// Round implements claims.ProductProver.
func (m *merge) Round() (zero, leading fr.Element) { return m.now().Round() }

// Bind implements claims.ProductProver.
func (m *merge) Bind(r fr.Element) {
	m.now().Bind(r)
	if m.chunks == nil {
		if m.bound = append(m.bound, r); len(m.bound) == m.low {
			m.bindPlaces()
		}
	}
}

// Values implements claims.ProductProver.
func (m *merge) Values() (a, b fr.Element) { return m.chunks.Values() }
