package float

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

// assembler puts random graphs together.
type assembler struct {
	g   *Graph
	rng *rand.Rand
}

func (a *assembler) tensor(t Tensor) int {
	t.Name = fmt.Sprintf("t%d", len(a.g.Tensors))
	a.g.Tensors = append(a.g.Tensors, t)
	return len(a.g.Tensors) - 1
}

func (a *assembler) constant(values []float32, shape ...int) int {
	if values == nil {
		values = random(a.rng, volume(shape))
	}
	return a.tensor(Tensor{Shape: shape, Const: values})
}

func (a *assembler) node(op Op, declared []int, in ...int) int {
	shapes := make([][]int, len(in))
	for i, id := range in {
		shapes[i] = a.g.Tensors[id].Shape
	}
	shape, err := InferShape(op, shapes, declared)
	if err != nil {
		panic(err)
	}
	out := a.tensor(Tensor{Shape: shape})
	a.g.Nodes = append(a.g.Nodes, Node{Name: fmt.Sprintf("n%d", len(a.g.Nodes)), Op: op, In: in, Out: out})
	return out
}

// grow adds a random op of the kinds that Fold looks at; x is of shape [1, 2, 2, 2].
func (a *assembler) grow(x int) int {
	shape := []int{1, 2, 2, 2}
	unit := Window{Kernel: [2]int{1, 1}, Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}}
	switch a.rng.IntN(12) {
	case 0:
		return a.node(Conv{unit, 1}, nil, x, a.constant(nil, 2, 2, 1, 1))
	case 1:
		return a.node(Dense{}, nil, x, a.constant(nil, 2, 2), a.constant(nil, 2))
	case 2:
		return a.node(Affine{}, nil, x, a.constant(nil, 2, 1, 1), a.constant(nil, 1))
	case 3:
		return a.node(Affine{}, nil, x, a.constant(nil, 2), a.constant(nil, 1, 1, 1, 2))
	case 4:
		return a.node(Affine{}, nil, x, a.constant([]float32{1}), a.constant([]float32{0}))
	case 5:
		flat := a.node(Reshape{}, []int{4, 2}, x)
		if a.rng.IntN(2) == 0 {
			flat = a.node(Affine{}, nil, flat, a.constant(nil, 2), a.constant(nil, 1))
		}
		return a.node(Reshape{}, shape, flat)
	case 6:
		return a.node(Transpose{Perm: [][]int{{0, 1, 2, 3}, {0, 2, 3, 1}, {0, 3, 1, 2}, {0, 2, 1, 3}}[a.rng.IntN(4)]}, nil, x)
	case 7:
		gate := a.node(Unary{Func: "sigmoid"}, nil, x)
		return a.node(Binary{"mul"}, nil, gate, x)
	case 8:
		gate := a.node(Unary{Func: "hardsigmoid", Alpha: 1.0 / 6, Beta: 0.5}, nil, x)
		return a.node(Binary{"mul"}, nil, x, gate)
	case 9:
		return a.gelu(x)
	case 10:
		pad := Pad{Before: make([]int, 4), After: make([]int, 4), Mode: "edge"}
		slice := Slice{Start: make([]int, 4), Step: []int{1, 1, 1, 1}}
		return a.node(slice, shape, a.node(pad, nil, x))
	default:
		return a.node(Gather{Axis: 1, Indices: [][]int{{0, 1}, {1, 0}}[a.rng.IntN(2)]}, nil, a.node(Concat{Axis: 0}, nil, x))
	}
}

// gelu is the product that spells it out, sometimes with other factors.
func (a *assembler) gelu(x int) int {
	zero := a.constant([]float32{0})
	half := a.constant([]float32{[]float32{0.5, 1.5}[a.rng.IntN(2)]})
	d := a.node(Affine{}, nil, x, a.constant([]float32{float32(1 / math.Sqrt2)}), zero)
	one := a.constant([]float32{1})
	e := a.node(Affine{}, nil, a.node(Unary{Func: "erf"}, nil, d), one, one)
	if a.rng.IntN(2) == 0 {
		return a.node(Binary{"mul"}, nil, a.node(Affine{}, nil, x, half, zero), e)
	}
	return a.node(Affine{}, nil, a.node(Binary{"mul"}, nil, e, x), half, zero)
}

func clone(g *Graph) *Graph {
	c := *g
	c.Inputs, c.Outputs, c.Tensors, c.Nodes = slices.Clone(g.Inputs), slices.Clone(g.Outputs), slices.Clone(g.Tensors), slices.Clone(g.Nodes)
	return &c
}

// TestFoldKeepsMeaning folds random graphs in which values are used more than once and are outputs,
// and compares what they compute.
func TestFoldKeepsMeaning(t *testing.T) {
	saved := 0
	for seed := range uint64(3000) {
		rng := rand.New(rand.NewPCG(seed, 0))
		a := &assembler{g: &Graph{}, rng: rng}
		x := a.tensor(Tensor{Shape: []int{1, 2, 2, 2}})
		a.g.Inputs = []int{x}
		made := []int{x}
		for range 1 + rng.IntN(6) {
			from := made[max(0, len(made)-1-rng.IntN(2))]
			made = append(made, a.grow(from))
		}
		last := len(made) - 1
		a.g.Outputs = []int{made[last]}
		if rng.IntN(2) == 0 {
			a.g.Outputs = append(a.g.Outputs, made[1+rng.IntN(last)])
		}
		if err := a.g.Validate(); err != nil {
			t.Fatal(err)
		}
		folded := clone(a.g)
		Fold(folded)
		if err := folded.Validate(); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		saved += len(a.g.Nodes) - len(folded.Nodes)
		checkEqual(t, seed, a.g, folded, random(rng, 8))
		again := clone(folded)
		Fold(again)
		if len(again.Nodes) > len(folded.Nodes) {
			t.Fatalf("seed %d: folding again makes %d nodes of %d", seed, len(again.Nodes), len(folded.Nodes))
		}
	}
	if saved < 3000 {
		t.Errorf("folding saved %d nodes in all, expected more", saved)
	}
}

func checkEqual(t *testing.T, seed uint64, g, folded *Graph, input []float32) {
	t.Helper()
	want, err := g.Run([][]float32{input})
	if err != nil {
		t.Fatal(err)
	}
	got, err := folded.Run([][]float32{input})
	if err != nil {
		t.Fatal(err)
	}
	for k := range want {
		if a, b := g.Tensors[g.Outputs[k]], folded.Tensors[folded.Outputs[k]]; a.Name != b.Name || !slices.Equal(a.Shape, b.Shape) {
			t.Fatalf("seed %d: output %q %v became %q %v", seed, a.Name, a.Shape, b.Name, b.Shape)
		}
		scale := 1.0
		for _, v := range want[k] {
			scale = max(scale, math.Abs(float64(v)))
		}
		for i, w := range want[k] {
			if !(math.Abs(float64(got[k][i]-w)) <= 1e-4*scale) {
				t.Fatalf("seed %d: output %d is %v, expected %v", seed, k, got[k], want[k])
			}
		}
	}
}

// TestFoldDrops checks that what no output needs goes, except inputs, and that the parameters of
// shared constants are not changed in place.
func TestFoldDrops(t *testing.T) {
	a := &assembler{g: &Graph{}, rng: rand.New(rand.NewPCG(3, 3))}
	x := a.tensor(Tensor{Shape: []int{1, 2}})
	unused := a.tensor(Tensor{Shape: []int{5}})
	a.g.Inputs = []int{x, unused}
	w := a.constant([]float32{1, 2, 3, 4}, 2, 2)
	two, three := a.constant([]float32{2}), a.constant([]float32{3})
	first := a.node(Affine{}, nil, a.node(Dense{}, nil, x, w), two, three)
	second := a.node(Dense{}, nil, x, w)
	a.node(Unary{Func: "exp"}, nil, unused)
	a.g.Outputs = []int{first, second}
	Fold(a.g)
	if len(a.g.Inputs) != 2 || len(a.g.Nodes) != 2 {
		t.Fatalf("%d inputs and %d nodes, expected 2 and 2", len(a.g.Inputs), len(a.g.Nodes))
	}
	got, err := a.g.Run([][]float32{{1, 1}, make([]float32, 5)})
	if err != nil {
		t.Fatal(err)
	}
	if want := [][]float32{{11, 15}, {4, 6}}; !reflect.DeepEqual(got, want) {
		t.Errorf("%v, expected %v", got, want)
	}
}
