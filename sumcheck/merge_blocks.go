package sumcheck

import (
	"encoding/binary"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/claims"
)

// chunkGroup is a functional that is low, times a weight, on each of some chunks.
type chunkGroup struct {
	low     []fr.Element
	parts   []chunkPart
	chunks  []int32 // each at most once
	weights []fr.Element
}

// chunkPart is a product: element i of what the factors give is the weight of chunk first + i·stride.
type chunkPart struct {
	first, stride int
	block         claims.Block // of the factors; its offset means nothing
}

// chunkGroups writes blocks of at least a chunk as groups, those with equal low vectors as one. What is smaller is left
// over.
func chunkGroups(blocks []claims.Block, low int) (groups []*chunkGroup, small []*claims.Block) {
	byVector := map[string]*chunkGroup{}
	for i := range blocks {
		b := &blocks[i]
		if b.Bits() < low {
			small = append(small, b)
			continue
		}
		high, vectors := splitFactors(b.Factors, low)
		for k, v := range vectors {
			key := vectorKey(v)
			g := byVector[key]
			if g == nil {
				g = &chunkGroup{low: v}
				byVector[key] = g
				groups = append(groups, g)
			}
			g.parts = append(g.parts, chunkPart{b.Offset>>low + k, len(vectors), claims.Block{Coefficient: b.Coefficient, Factors: high}})
		}
	}
	return groups, small
}

// splitFactors cuts an outer product before its low last bits. Where a dense factor is cut, the low vector is another
// for each of the indices above the cut, which run fastest.
func splitFactors(factors []claims.Factor, low int) (high []claims.Factor, vectors [][]fr.Element) {
	n := len(factors)
	for n > 0 && factors[n-1].Bits() <= low {
		n--
		low -= factors[n].Bits()
	}
	if low == 0 {
		return factors[:n], [][]fr.Element{expand(factors[n:])}
	}
	cut, below := factors[n-1], factors[n:]
	if at := len(cut.Pairs) - low; cut.Dense == nil {
		high = append(append(high, factors[:n-1]...), claims.Factor{Pairs: cut.Pairs[:at]})
		return high, [][]fr.Element{expand(append([]claims.Factor{{Pairs: cut.Pairs[at:]}}, below...))}
	}
	for at := 0; at < len(cut.Dense); at += 1 << low {
		vectors = append(vectors, expand(append([]claims.Factor{{Dense: cut.Dense[at : at+1<<low]}}, below...)))
	}
	return factors[:n-1], vectors
}

// expand is an outer product.
func expand(factors []claims.Factor) []fr.Element {
	return expandBlock(&claims.Block{Coefficient: fr.One(), Factors: factors})
}

func expandBlock(b *claims.Block) []fr.Element {
	at := claims.Block{Coefficient: b.Coefficient, Factors: b.Factors}
	out := make([]fr.Element, 1<<at.Bits())
	at.AddTo(out)
	return out
}

// vectorKey tells vectors apart.
func vectorKey(v []fr.Element) string {
	key := make([]byte, 0, len(v)*fr.Bytes)
	for i := range v {
		for _, w := range v[i] {
			key = binary.LittleEndian.AppendUint64(key, w)
		}
	}
	return string(key)
}

// list computes the group's chunks and their weights. slots is scratch for all chunks, 0 before and after.
func (g *chunkGroup) list(slots []int32) {
	for i := range g.parts {
		p := &g.parts[i]
		for k, w := range expandBlock(&p.block) {
			chunk := p.first + k*p.stride
			if at := slots[chunk]; at > 0 {
				g.weights[at-1].Add(&g.weights[at-1], &w)
				continue
			}
			g.chunks = append(g.chunks, int32(chunk))
			g.weights = append(g.weights, w)
			slots[chunk] = int32(len(g.chunks))
		}
	}
	for _, chunk := range g.chunks {
		slots[chunk] = 0
	}
	g.parts = nil
}

// take removes the chunks in [from, to), and shows them to use.
func (g *chunkGroup) take(from, to int, use func(chunk int, weight *fr.Element)) {
	kept := 0
	for i, chunk := range g.chunks {
		if int(chunk) >= from && int(chunk) < to {
			use(int(chunk), &g.weights[i])
			continue
		}
		g.chunks[kept], g.weights[kept] = chunk, g.weights[i]
		kept++
	}
	g.chunks, g.weights = g.chunks[:kept], g.weights[:kept]
}
