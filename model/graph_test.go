package model_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/zkinfer/zkinfer/model"
)

func randomInputs(g *model.Graph, seed uint64) [][]int64 {
	rng := newRand(seed)
	var in [][]int64
	for _, id := range g.Inputs {
		in = append(in, randomValues(rng, g.Tensors[id]))
	}
	return in
}

// TestExecute runs whole networks: nothing leaves its declared range, every node equals its
// reference, and Run gives what Execute gives.
func TestExecute(t *testing.T) {
	for seed := range uint64(8) {
		g := everyOp(t, seed)
		in := randomInputs(g, seed)
		trace, err := g.Execute(context.Background(), in)
		if err != nil {
			t.Fatal(err)
		}
		for i, n := range g.Nodes {
			var operands []array
			for _, id := range n.In {
				operands = append(operands, array{g.Tensors[id].Shape, trace.Values[id]})
			}
			compare(t, n.Op, operands, g.Tensors[n.Out], trace.Values[n.Out], trace.Acc[i])
		}
		out, err := g.Run(context.Background(), in)
		if err != nil {
			t.Fatal(err)
		}
		for k, want := range trace.Outputs(g) {
			if !slices.Equal(out[k], want) || !slices.Equal(want, trace.Values[g.Outputs[k]]) {
				t.Errorf("output %d: Run gives %v, Execute %v", k, out[k], want)
			}
		}
	}
}

func TestExecuteRejects(t *testing.T) {
	g := everyOp(t, 1)
	good := randomInputs(g, 1)
	edit := func(at int, v int64) [][]int64 {
		in := [][]int64{slices.Clone(good[0])}
		in[0][at] = v
		return in
	}
	for name, in := range map[string][][]int64{
		"none":      nil,
		"two":       {good[0], good[0]},
		"short":     {good[0][1:]},
		"long":      {append(slices.Clone(good[0]), 0)},
		"below":     edit(3, -9),
		"above":     edit(0, 8),
		"far above": edit(127, math.MaxInt64),
	} {
		if _, err := g.Execute(context.Background(), in); !errors.Is(err, model.ErrInput) {
			t.Errorf("Execute, %s: %v, want ErrInput", name, err)
		}
		if _, err := g.Run(context.Background(), in); !errors.Is(err, model.ErrInput) {
			t.Errorf("Run, %s: %v, want ErrInput", name, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := g.Execute(ctx, good); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestValidateRejects changes one thing at a time in a valid graph.
func TestValidateRejects(t *testing.T) {
	huge := []int{1 << 12, 1 << 12}
	for _, c := range []struct {
		name string
		edit func(*model.Graph)
		want error
	}{
		{"nothing", func(*model.Graph) {}, nil},
		{"shape", func(g *model.Graph) { g.Tensors[1].Shape[1] = 5 }, model.ErrShape},
		{"rank", func(g *model.Graph) { g.Tensors[1].Shape = append(g.Tensors[1].Shape, 1) }, model.ErrShape},
		{"range", func(g *model.Graph) { g.Tensors[1].Max++ }, model.ErrRange},
		{"narrow range", func(g *model.Graph) { g.Tensors[1].Min++ }, model.ErrRange},
		{"type", func(g *model.Graph) { g.Tensors[0].Type = model.Uint8 }, model.ErrRange},
		{"unknown type", func(g *model.Graph) { g.Tensors[0].Type = 77 }, model.ErrAttribute},
		{"scale", func(g *model.Graph) { g.Tensors[2].Scale = 0 }, model.ErrAttribute},
		{"scale NaN", func(g *model.Graph) { g.Tensors[2].Scale = math.NaN() }, model.ErrAttribute},
		{"scale infinite", func(g *model.Graph) { g.Tensors[2].Scale = math.Inf(1) }, model.ErrAttribute},
		{"zero", func(g *model.Graph) { g.Tensors[2].Zero = math.MinInt64 }, model.ErrAttribute},
		{"dimension 0", func(g *model.Graph) { g.Tensors[0].Shape[1] = 0 }, model.ErrShape},
		{"tensor too large", func(g *model.Graph) { g.Tensors[0].Shape = []int{4, 1 << 62} }, model.ErrLimit},
		{"all too large", func(g *model.Graph) {
			for range 5 {
				g.Tensors = append(g.Tensors, model.Tensor{Shape: huge, Type: model.Int8, Scale: 1})
			}
		}, model.ErrLimit},
		{"too many nodes", func(g *model.Graph) { g.Nodes = make([]model.Node, 1<<16+1) }, model.ErrLimit},
		{"tensor without maker", func(g *model.Graph) { g.Tensors = append(g.Tensors, g.Tensors[0]) }, model.ErrGraph},
		{"no op", func(g *model.Graph) { g.Nodes[2].Op = nil }, model.ErrGraph},
		{"order", func(g *model.Graph) { g.Nodes[0], g.Nodes[1] = g.Nodes[1], g.Nodes[0] }, model.ErrGraph},
		{"own output", func(g *model.Graph) { g.Nodes[1].In[0] = g.Nodes[1].Out }, model.ErrGraph},
		{"operand -1", func(g *model.Graph) { g.Nodes[1].In[0] = -1 }, model.ErrGraph},
		{"made twice", func(g *model.Graph) { g.Nodes[1].Out = g.Nodes[0].Out }, model.ErrGraph},
		{"input made by a node", func(g *model.Graph) { g.Nodes[1].Out = g.Inputs[0] }, model.ErrGraph},
		{"output beyond", func(g *model.Graph) { g.Nodes[1].Out = 999 }, model.ErrGraph},
		{"input twice", func(g *model.Graph) { g.Inputs = append(g.Inputs, g.Inputs[0]) }, model.ErrGraph},
		{"no outputs", func(g *model.Graph) { g.Outputs = nil }, model.ErrGraph},
		{"outputs beyond", func(g *model.Graph) { g.Outputs[0] = 999 }, model.ErrGraph},
		{"output twice", func(g *model.Graph) { g.Outputs[1] = g.Outputs[0] }, model.ErrGraph},
		{"pixel scale", func(g *model.Graph) { g.Source.PixelScale[0] = math.Inf(1) }, model.ErrAttribute},
		{"weight", func(g *model.Graph) { g.Nodes[0].Op.(*model.Conv).Weights[0] = 1 << 40 }, model.ErrRange},
		{"constant input", func(g *model.Graph) {
			x := &g.Tensors[g.Inputs[0]]
			x.Min = x.Max
		}, model.ErrConstantModel},
	} {
		g := everyOp(t, 1)
		c.edit(g)
		if err := g.Validate(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

func input(shape ...int) model.Tensor {
	return model.Tensor{Name: "x", Shape: shape, Min: -8, Max: 7, Scale: 1}
}

func TestConstantModel(t *testing.T) {
	b := model.NewBuilder("constant")
	x, err := b.Input(input(4))
	if err != nil {
		t.Fatal(err)
	}
	step, err := b.Add("step", &model.Activation{Table: model.ClampTable(-8, 7, 3, 3)}, 1, 0, x)
	if err != nil {
		t.Fatal(err)
	}
	sum := &model.Add{Zeros: []int64{0}, Multipliers: []int64{1}, Bias: []int64{0}, Rescale: wideRescale()}
	y, err := b.Add("sum", sum, 1, 0, step)
	if err != nil {
		t.Fatal(err)
	}
	b.Output(y)
	if _, err := b.Graph(); !errors.Is(err, model.ErrConstantModel) {
		t.Errorf("%v, want ErrConstantModel", err)
	}
	if err := (&model.Graph{}).Validate(); !errors.Is(err, model.ErrGraph) {
		t.Errorf("empty graph: %v, want ErrGraph", err)
	}
}

func TestBuilder(t *testing.T) {
	b := model.NewBuilder("small")
	shape := []int{4}
	x, err := b.Input(input(shape...))
	if err != nil {
		t.Fatal(err)
	}
	if shape[0] = 5; b.Tensor(x).Len() != 4 {
		t.Error("the builder kept the caller's slice")
	}
	if got := b.Tensor(x).Type; got != model.Int8 {
		t.Errorf("input of type %v, want int8", got)
	}
	relu, err := b.Add("relu", &model.Activation{Table: model.ClampTable(-8, 7, 0, 7)}, 0.5, 2, x)
	if err != nil {
		t.Fatal(err)
	}
	if y := b.Tensor(relu); y.Type != model.Uint8 || y.Min != 0 || y.Max != 7 || y.Scale != 0.5 || y.Zero != 2 || y.Name != "relu" {
		t.Errorf("output is %+v", y)
	}
	if err := b.Retype(relu, model.Int16); err != nil || b.Tensor(relu).Type != model.Int16 {
		t.Errorf("Retype: %v, %v", err, b.Tensor(relu).Type)
	}
	if err := b.Retype(x, model.Uint8); !errors.Is(err, model.ErrRange) {
		t.Errorf("negative numbers as uint8: %v, want ErrRange", err)
	}
	if err := b.Retype(9, model.Uint8); !errors.Is(err, model.ErrGraph) {
		t.Errorf("no such tensor: %v, want ErrGraph", err)
	}
	if _, err := b.Add("bad", &model.Reshape{Shape: []int{3}}, 1, 0, x); !errors.Is(err, model.ErrShape) {
		t.Errorf("bad op: %v, want ErrShape", err)
	}
	if _, err := b.Add("bad", &model.Reshape{Shape: []int{4}}, 1, 0, 7); !errors.Is(err, model.ErrGraph) {
		t.Errorf("no such operand: %v, want ErrGraph", err)
	}
	if _, err := b.Add("bad", &model.Reshape{Shape: []int{4}}, 0, 0, x); !errors.Is(err, model.ErrAttribute) {
		t.Errorf("no scale: %v, want ErrAttribute", err)
	}
	if _, err := b.Input(model.Tensor{Shape: []int{1}, Min: 1, Max: 0, Scale: 1}); !errors.Is(err, model.ErrRange) {
		t.Errorf("empty range: %v, want ErrRange", err)
	}
	b.Output(relu)
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	if len(g.Nodes) != 1 || len(g.Tensors) != 2 {
		t.Errorf("refused ops left traces: %d nodes, %d tensors", len(g.Nodes), len(g.Tensors))
	}
}

// TestWorkLimit: a few bytes of geometry must not ask for hours of work.
func TestWorkLimit(t *testing.T) {
	b := model.NewBuilder("slow")
	x, err := b.Input(input(1, 1, 1<<12, 1<<12))
	if err != nil {
		t.Fatal(err)
	}
	w := unitWindow()
	w.Kernel, w.PadBefore = [2]int{1 << 11, 1 << 11}, [2]int{1<<11 - 1, 1<<11 - 1}
	y, err := b.Add("pool", &model.MaxPool{Window: w}, 1, 0, x)
	if err != nil {
		t.Fatal(err)
	}
	b.Output(y)
	if _, err := b.Graph(); !errors.Is(err, model.ErrLimit) {
		t.Errorf("2^46 steps: %v, want ErrLimit", err)
	}
}

// mnistSized is a network of the size of mnist-8: 786,560 multiplications.
func mnistSized(b *testing.B) *model.Graph {
	rng := newRand(23)
	builder := model.NewBuilder("mnist")
	last, err := builder.Input(model.Tensor{Name: "image", Shape: []int{1, 1, 28, 28}, Max: 255, Scale: 1})
	if err != nil {
		b.Fatal(err)
	}
	add := func(op model.Op) {
		if r, ok := op.(model.Rescaled); ok {
			fit(b, rng, r, []model.Tensor{builder.Tensor(last)})
		}
		if last, err = builder.Add(op.Kind(), op, 1, 0, last); err != nil {
			b.Fatal(err)
		}
	}
	same := model.Window{Kernel: [2]int{5, 5}, Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}, PadBefore: [2]int{2, 2}, PadAfter: [2]int{2, 2}}
	pool := func(k int) model.Op {
		return &model.MaxPool{Window: model.Window{Kernel: [2]int{k, k}, Stride: [2]int{k, k}, Dilation: [2]int{1, 1}}}
	}
	add(&model.Conv{Window: same, Groups: 1, OutC: 8, Weights: integers(rng, 200, 1<<15), Bias: integers(rng, 8, 1<<20)})
	add(pool(2))
	add(&model.Conv{Window: same, Groups: 1, OutC: 16, Zero: 3, Weights: integers(rng, 3200, 1<<15), Bias: integers(rng, 16, 1<<20)})
	add(pool(3))
	add(&model.Reshape{Shape: []int{1, 256}})
	add(&model.Dense{OutN: 10, Weights: integers(rng, 2560, 1<<15), Bias: integers(rng, 10, 1<<20)})
	builder.Output(last)
	g, err := builder.Graph()
	if err != nil {
		b.Fatal(err)
	}
	macs := int64(0)
	for _, n := range g.Nodes {
		macs += n.Op.MACs(g.Operands(n), g.Tensors[n.Out])
	}
	if macs != 786560 {
		b.Fatalf("%d multiplications, want 786560", macs)
	}
	return g
}

func BenchmarkExecuteMNIST(b *testing.B) {
	g := mnistSized(b)
	in := randomInputs(g, 1)
	for b.Loop() {
		if _, err := g.Execute(context.Background(), in); err != nil {
			b.Fatal(err)
		}
	}
}
