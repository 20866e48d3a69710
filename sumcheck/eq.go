package sumcheck

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/claims"
)

// splitEq is eq(point, x) as a product of two tables: of the upper and of the lowest bits of x, which are a chunk.
type splitEq struct{ high, low []fr.Element }

// chunkBits are the bits of a chunk: its tables fit into the cache.
const chunkBits = 9

func newSplitEq(point []fr.Element) *splitEq {
	at := max(len(point)-chunkBits, 0)
	return &splitEq{claims.EqTable(point[:at]), claims.EqTable(point[at:])}
}
