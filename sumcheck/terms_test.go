package sumcheck

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/claims"
	"github.com/zkinfer/zkinfer/claims/plain"
)

// contracted is a network of one lookup of a contraction, and its cells.
type contracted struct {
	claims.Network
	cells []int64
}

// contract builds a network that looks c up; c's weights and input are tensors of these shapes.
func contract(rng *rand.Rand, c claims.Contraction, weights, input, output []int) *contracted {
	x := &contracted{}
	for _, shape := range [][]int{weights, input, {1}} {
		x.Tensors = append(x.Tensors, claims.Committed{Tensor: claims.NewTensor(shape...), Owner: claims.Trace})
	}
	c.Weight = claims.View{Tensor: 0}
	c.Input = of(1, input)
	x.Contractions = []claims.Contraction{c}
	x.Tables = []claims.Table{{Arguments: []claims.Argument{{Min: 0, Len: 1}}, Multiplicities: 2}}
	x.Lookups = []claims.Lookup{{Shape: output, Table: 0, Columns: []claims.Expression{
		{Contractions: []claims.ContractionTimes{{Coefficient: 3, Contraction: 0}}}}}}
	x.cells = make([]int64, claims.Place(0, x.Tensors[0].Tensor, x.Tensors[1].Tensor, x.Tensors[2].Tensor))
	for i := range x.cells {
		x.cells[i] = rng.Int64N(511) - 255
	}
	x.Tensors[0].Each(func(_, cell int) { x.cells[cell] = rng.Int64N(1<<63-1) - 1<<62 })
	return x
}

// values are a tensor's elements, row-major.
func (x *contracted) values(tensor int) []int64 {
	out := make([]int64, x.Tensors[tensor].Len())
	x.Tensors[tensor].Each(func(element, cell int) { out[element] = x.cells[cell] })
	return out
}

// termCapture notes the terms of a run.
type termCapture struct {
	slowProver
	terms []*claims.Term
}

func (c *termCapture) Term(t *claims.Term) claims.ProductProver {
	c.terms = append(c.terms, t)
	return NewProduct(make([]fr.Element, 1<<t.Bits()), make([]fr.Element, 1<<t.Bits()))
}

func (x *contracted) terms(t testing.TB) []*claims.Term {
	t.Helper()
	if err := x.Check(); err != nil {
		t.Fatal(err)
	}
	z := make([]fr.Element, len(x.cells))
	for i, v := range x.cells {
		z[i].SetInt64(v)
	}
	p := &termCapture{slowProver: slowProver{plain.Cells{Network: &x.Network, Z: z}}}
	r := claims.NewProver([32]byte{7}, func(claims.Kind, int) (zero fr.Element) { return zero })
	if err := x.Prove(r, nil, p); err != nil {
		t.Fatal(err)
	}
	return p.terms
}

func (x *contracted) compare(t *testing.T) {
	t.Helper()
	for _, term := range x.terms(t) {
		gotW, gotI := termTables(term, x.values(0), x.values(1))
		wantW, wantI := term.Tables(func(cell int) (v fr.Element) { return *v.SetInt64(x.cells[cell]) })
		if !slices.Equal(gotW, wantW) {
			t.Errorf("%+v: W is wrong", x.Contractions[0])
		}
		if !slices.Equal(gotI, wantI) {
			t.Errorf("%+v: I is wrong", x.Contractions[0])
		}
	}
}

// TestConvolutionTerms: tables by the definition, for convolutions of all kinds; both ways to compute I.
func TestConvolutionTerms(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for i := range 40 {
		x := randomConvolution(rng)
		if i == 0 { // large enough for several processors
			x = imageConvolution(14, 3, 2, 9, 3, 3)(rng)
		}
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			x.compare(t)
			for _, term := range x.terms(t) {
				y := newTables(term, x.values(0), x.values(1))
				if !slices.Equal(y.byLines(y.strips()), y.byPositions(y.strips())) {
					t.Errorf("%+v: along lines and by positions differ", x.Contractions[0])
				}
			}
		})
	}
}

func randomConvolution(rng *rand.Rand) *contracted {
	c := claims.Contraction{Kind: claims.Convolution, Groups: 1 + rng.IntN(3)}
	per, outputs := 1+rng.IntN(4), c.Groups*(1+rng.IntN(3))
	if rng.IntN(3) == 0 { // depthwise
		per, outputs = 1, c.Groups
	}
	weights := []int{outputs, per, 1 + rng.IntN(3), 1 + rng.IntN(3)}
	input := []int{1, 1 + rng.IntN(7), 1 + rng.IntN(9), c.Groups * per}
	for a := range 2 {
		c.Stride[a], c.Dilation[a], c.Pad[a] = 1+rng.IntN(3), 1+rng.IntN(2), rng.IntN(4)-1
		c.Out[a] = 1 + rng.IntN(7)
	}
	return contract(rng, c, weights, input, []int{1, c.Out[0], c.Out[1], outputs})
}

// TestMatMulTerms: tables by the definition, for inputs of any rank.
func TestMatMulTerms(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for range 30 {
		n, depth := 1+rng.IntN(7), 1+rng.IntN(40)
		output := make([]int, 1+rng.IntN(3))
		for a := range output {
			output[a] = 1 + rng.IntN(4)
		}
		output[len(output)-1] = n
		input := slices.Clone(output)
		input[len(input)-1] = depth
		contract(rng, claims.Contraction{Kind: claims.MatMul}, []int{n, depth}, input, output).compare(t)
	}
}

// TestScalingTerms: tables by the definition, for weights that run along some of the axes.
func TestScalingTerms(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	for range 50 {
		shape := make([]int, rng.IntN(5))
		weights := make([]int, len(shape))
		for a := range shape {
			shape[a] = 1 + rng.IntN(5)
			if weights[a] = shape[a]; rng.IntN(2) == 0 {
				weights[a] = 1
			}
		}
		contract(rng, claims.Contraction{Kind: claims.Scaling}, weights, shape, shape).compare(t)
	}
}

// imageConvolution is a convolution of square images.
func imageConvolution(size, kernel, stride, in, out, groups int) func(rng *rand.Rand) *contracted {
	c := claims.Contraction{Kind: claims.Convolution, Groups: groups}
	for a := range 2 {
		c.Stride[a], c.Dilation[a], c.Pad[a], c.Out[a] = stride, 1, kernel/2, size/stride
	}
	return func(rng *rand.Rand) *contracted {
		return contract(rng, c, []int{out, in / groups, kernel, kernel}, []int{1, size, size, in}, []int{1, c.Out[0], c.Out[1], out})
	}
}

// BenchmarkTerms makes the tables of all terms of a layer, in nanoseconds for each of its weights or of its inputs.
func BenchmarkTerms(b *testing.B) {
	for _, layer := range []struct {
		name  string
		build func(rng *rand.Rand) *contracted
	}{
		{"conv 3x3x64x64 32x32", imageConvolution(32, 3, 1, 64, 64, 1)},
		{"conv 1x1x960x320 7x7", imageConvolution(7, 1, 1, 960, 320, 1)},
		{"conv 1x1x96x24 56x56", imageConvolution(56, 1, 1, 96, 24, 1)},
		{"depthwise 3x3x96 112x112", imageConvolution(112, 3, 1, 96, 96, 96)},
		{"depthwise 3x3x96 112x112 stride 2", imageConvolution(112, 3, 2, 96, 96, 96)},
		{"dense 1024x1024", func(rng *rand.Rand) *contracted {
			return contract(rng, claims.Contraction{Kind: claims.MatMul}, []int{1024, 1024}, []int{1, 1024}, []int{1, 1024})
		}},
		{"add 32x32x64", func(rng *rand.Rand) *contracted {
			return contract(rng, claims.Contraction{Kind: claims.Scaling}, []int{1, 1, 1, 1}, []int{1, 32, 32, 64}, []int{1, 32, 32, 64})
		}},
	} {
		x := layer.build(rand.New(rand.NewPCG(1, 2)))
		weights, input := x.values(0), x.values(1)
		terms := x.terms(b)
		for name, side := range map[string]struct {
			elements int
			table    func(y *tables) []fr.Element
		}{"W": {len(weights), (*tables).w}, "I": {len(input), (*tables).i}} {
			b.Run(layer.name+"/"+name, func(b *testing.B) {
				for b.Loop() {
					for _, t := range terms {
						side.table(newTables(t, weights, input))
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(side.elements), "ns/element")
				b.ReportMetric(float64(len(terms)), "terms")
			})
		}
	}
}
