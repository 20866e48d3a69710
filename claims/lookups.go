package claims

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// Lookup says that a list of queries is contained in a table: with keys v and t, which combine the columns of a
// row with powers of a challenge, and multiplicities m,
//
//	Σ_i live_i/(α − v_i) = Σ_j m_j/(α − t_j).
//
// Both sides are trees. Keys and multiplicities have to be fixed before α and the columns' challenge; each
// table has its own pair of trees.
type Lookup struct {
	Name string
	// Queries and Rows are the heights of the trees: 2^Queries queries, 2^Rows rows.
	Queries, Rows int
	// Live is the extension of the indicator of live queries, which is public. A query that is not live counts
	// nothing, whatever its key.
	Live func(point []fr.Element) fr.Element
	// Keys is the extension of the table's keys α − t_j, which are public.
	Keys func(point []fr.Element) fr.Element
}

// Looked is what remains to be shown of a lookup.
type Looked struct {
	// Query is where the queries' denominators α − v are claimed; Denominator is the claim.
	Query       []fr.Element
	Denominator Form
	// Row is where the multiplicities are claimed.
	Row            []fr.Element
	Multiplicities Form
}

// Lookups reduces lookups to claims on the queries' keys and on multiplicities. provers holds the tree of
// queries and the tree of rows of each lookup, nil for a verifier.
//
// A root's denominator of 0 would let any sum pass. It is the product of the leaves, which are α less something
// that was fixed before α (cells, public keys, or nothing at all): 0 with probability leaves/2^254. So trees
// must reach their leaves, and all cells be committed before α is drawn.
func (r *Run) Lookups(lookups []Lookup, provers []TreeProver) []Looked {
	var trees []Tree
	for _, l := range lookups {
		trees = append(trees,
			Tree{Name: l.Name + ", queries", Height: l.Queries, Numerators: l.Live},
			Tree{Name: l.Name + ", rows", Height: l.Rows})
	}
	roots, leaves := r.Fractions(trees, provers)
	out := make([]Looked, len(lookups))
	one, minus := fr.One(), fr.One()
	minus.Neg(&minus)
	for i, l := range lookups {
		queries, rows := roots[2*i], roots[2*i+1]
		r.Require(Check{Products: []Product{{queries[0], rows[1], one}, {rows[0], queries[1], minus}}})
		row := leaves[2*i+1]
		var public Check
		public.Form.Add(one, row.Q)
		public.Form.Add(minus, Public(l.Keys(row.Point)))
		r.Require(public)
		out[i] = Looked{Query: leaves[2*i].Point, Denominator: leaves[2*i].Q, Row: row.Point, Multiplicities: row.P}
	}
	return out
}
