package onnx

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/zkinfer/zkinfer/internal/allocation"
	"github.com/zkinfer/zkinfer/model/float"
	"github.com/zkinfer/zkinfer/model/onnx/internal/onnxpb"
)

// sketch describes a model in short.
type sketch struct {
	opset   int64
	inputs  []*onnxpb.ValueInfoProto
	weights []*onnxpb.TensorProto
	nodes   []*onnxpb.NodeProto
	outputs []string
}

// bytes serializes the model; the output is "y" and the input x of [1, 4] unless said otherwise.
func (s sketch) bytes(t testing.TB) []byte {
	if s.opset == 0 {
		s.opset = 13
	}
	if s.inputs == nil {
		s.inputs = []*onnxpb.ValueInfoProto{input("x", Float32, 1, 4)}
	}
	if s.outputs == nil {
		s.outputs = []string{"y"}
	}
	g := &onnxpb.GraphProto{Node: s.nodes, Input: s.inputs, Initializer: s.weights}
	for _, o := range s.outputs {
		g.Output = append(g.Output, &onnxpb.ValueInfoProto{Name: proto.String(o)})
	}
	data, err := proto.Marshal(&onnxpb.ModelProto{Graph: g, OpsetImport: []*onnxpb.OperatorSetIdProto{{Version: proto.Int64(s.opset)}}})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// input has dimensions that are numbers or names.
func input(name string, typ ElemType, dims ...any) *onnxpb.ValueInfoProto {
	shape := &onnxpb.TensorShapeProto{}
	for _, d := range dims {
		dim := &onnxpb.TensorShapeProto_Dimension{}
		switch d := d.(type) {
		case int:
			dim.Value = &onnxpb.TensorShapeProto_Dimension_DimValue{DimValue: int64(d)}
		case string:
			dim.Value = &onnxpb.TensorShapeProto_Dimension_DimParam{DimParam: d}
		}
		shape.Dim = append(shape.Dim, dim)
	}
	return &onnxpb.ValueInfoProto{Name: proto.String(name), Type: &onnxpb.TypeProto{Value: &onnxpb.TypeProto_TensorType{
		TensorType: &onnxpb.TypeProto_Tensor{ElemType: proto.Int32(int32(typ)), Shape: shape}}}}
}

func floats(name string, dims []int64, x ...float32) *onnxpb.TensorProto {
	return &onnxpb.TensorProto{Name: proto.String(name), DataType: proto.Int32(int32(Float32)), Dims: dims, FloatData: x}
}

func integers(name string, dims []int64, x ...int64) *onnxpb.TensorProto {
	return &onnxpb.TensorProto{Name: proto.String(name), DataType: proto.Int32(int32(Int64)), Dims: dims, Int64Data: x}
}

func op(kind, in, out string, attrs ...*onnxpb.AttributeProto) *onnxpb.NodeProto {
	return &onnxpb.NodeProto{OpType: proto.String(kind), Name: proto.String("the " + kind), Input: strings.Split(in, " "), Output: strings.Split(out, " "), Attribute: attrs}
}

func attrInt(name string, v int64) *onnxpb.AttributeProto {
	return &onnxpb.AttributeProto{Name: proto.String(name), Type: onnxpb.AttributeProto_INT.Enum(), I: proto.Int64(v)}
}

func attrInts(name string, v ...int64) *onnxpb.AttributeProto {
	return &onnxpb.AttributeProto{Name: proto.String(name), Type: onnxpb.AttributeProto_INTS.Enum(), Ints: v}
}

func nodes(list ...*onnxpb.NodeProto) []*onnxpb.NodeProto { return list }

// TestImportRefuses has one entry for each kind of model that is refused, and what the message says.
func TestImportRefuses(t *testing.T) {
	relu := nodes(op("Relu", "x", "y"))
	w := floats("w", []int64{4, 2}, 1, 2, 3, 4, 5, 6, 7, 8)
	external := floats("w", []int64{1})
	external.DataLocation = onnxpb.TensorProto_EXTERNAL.Enum()
	image := []*onnxpb.ValueInfoProto{input("x", Float32, 2, 1, 4, 4)}
	huge := integers("s", []int64{2}, 1<<31, 1<<31)
	cases := []struct {
		name  string
		model sketch
		want  error
		says  string
	}{
		{"unknown op", sketch{nodes: nodes(op("LSTM", "x", "y"))}, ErrUnsupportedOp, `"the LSTM" is LSTM`},
		{"list of ops", sketch{nodes: nodes(op("LSTM", "x", "y"))}, ErrUnsupportedOp, "Conv, Div, Dropout"},
		{"other domain", sketch{nodes: nodes(&onnxpb.NodeProto{OpType: proto.String("Relu"), Domain: proto.String("com.microsoft")})}, ErrUnsupportedOp, "com.microsoft"},
		{"old opset", sketch{opset: 6, nodes: relu}, ErrUnsupportedModel, "opset 6"},
		{"new opset", sketch{opset: maxOpset + 1, nodes: relu}, ErrUnsupportedModel, "expected 7 to"},
		{"constant model", sketch{nodes: nodes(op("Shape", "x", "s"), op("Cast", "s", "y", attrInt("to", 1)))}, ErrConstantModel, `"y"`},
		{"constant output", sketch{weights: []*onnxpb.TensorProto{w}, nodes: relu, outputs: []string{"y", "w"}}, ErrConstantModel, `"w"`},
		{"no outputs", sketch{nodes: relu, outputs: []string{}}, ErrMalformed, "no outputs"},
		{"external data", sketch{weights: []*onnxpb.TensorProto{external}, nodes: relu}, ErrUnsupportedModel, "another file"},
		{"undefined", sketch{nodes: nodes(op("Relu", "z", "y"))}, ErrMalformed, `"z"`},
		{"defined twice", sketch{nodes: append(relu, relu...)}, ErrMalformed, "twice"},
		{"operand left out", sketch{nodes: nodes(op("Relu", "", "y"))}, ErrMalformed, "left out"},
		{"second output", sketch{nodes: nodes(op("Dropout", "x", "d mask"), op("Relu", "mask", "y"))}, ErrUnsupportedOp, `"mask"`},
		{"no fixed shape", sketch{inputs: []*onnxpb.ValueInfoProto{input("x", Float32, "N", "T")}, nodes: relu}, ErrUnsupportedModel, `"T"`},
		{"empty input", sketch{inputs: []*onnxpb.ValueInfoProto{input("x", Float32, 0, 4)}, nodes: relu}, ErrUnsupportedModel, "no elements"},
		{"input of strings", sketch{inputs: []*onnxpb.ValueInfoProto{input("x", 8, 1)}, nodes: relu}, ErrUnsupportedModel, "string"},
		{"huge input", sketch{inputs: []*onnxpb.ValueInfoProto{input("x", Float32, 1<<20, 1<<20)}, nodes: relu}, ErrLimit, "elements"},
		{"batch of images", sketch{inputs: image, weights: []*onnxpb.TensorProto{floats("k", []int64{1, 1, 1, 1}, 2)}, nodes: nodes(op("Conv", "x k", "y"))}, ErrUnsupportedOp, "batch of 2"},
		{"computed weights", sketch{nodes: nodes(op("MatMul", "x x", "y"))}, ErrUnsupportedOp, "two computed tensors"},
		{"shapes", sketch{weights: []*onnxpb.TensorProto{w}, nodes: nodes(op("Add", "x w", "y"))}, ErrMalformed, "broadcast"},
		{"attribute type", sketch{nodes: nodes(op("Softmax", "x", "y", attrInts("axis", 1)))}, ErrMalformed, "INTS"},
		{"attribute twice", sketch{nodes: nodes(op("Softmax", "x", "y", attrInt("axis", 1), attrInt("axis", 1)))}, ErrMalformed, "doubled"},
		{"axis", sketch{nodes: nodes(op("Softmax", "x", "y", attrInt("axis", 2)))}, ErrMalformed, "axis 2"},
		{"use of argmax", sketch{nodes: nodes(op("ArgMax", "x", "a"), op("Cast", "a", "c", attrInt("to", 1)), op("Add", "c x", "y"))}, ErrUnsupportedOp, "result of ArgMax"},
		{"integer arithmetic", sketch{inputs: []*onnxpb.ValueInfoProto{input("x", Int32, 4)}, nodes: nodes(op("Add", "x x", "y"))}, ErrUnsupportedOp, "wraps"},
		{"narrowing cast", sketch{nodes: nodes(op("Cast", "x", "y", attrInt("to", int64(Int32))))}, ErrUnsupportedOp, "from float to int32"},
		{"division by zero", sketch{weights: []*onnxpb.TensorProto{floats("z", nil, 0)}, nodes: nodes(op("Div", "x z", "y"))}, ErrMalformed, "finite"},
		{"integer division by zero", sketch{weights: []*onnxpb.TensorProto{integers("z", nil, 0)}, nodes: nodes(op("Div", "z z", "d"), op("Relu", "x", "y"))}, ErrUnsupportedOp, "division by zero"},
		{"huge constant", sketch{weights: []*onnxpb.TensorProto{huge}, nodes: nodes(op("ConstantOfShape", "s", "y"))}, ErrLimit, "elements"},
		{"huge expansion", sketch{weights: []*onnxpb.TensorProto{huge}, nodes: nodes(op("Expand", "x s", "y"))}, ErrLimit, "elements"},
		{"element count", sketch{weights: []*onnxpb.TensorProto{floats("w", []int64{3}, 1, 2)}, nodes: relu}, ErrMalformed, "2 elements"},
		{"empty slice", sketch{weights: []*onnxpb.TensorProto{integers("s", []int64{1}, 9)}, nodes: nodes(op("Slice", "x s s", "y"))}, ErrUnsupportedOp, "without elements"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := Import(c.model.bytes(t), Options{})
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v, expected %q saying %q", err, c.want, c.says)
			}
		})
	}
}

// TestImportBounds checks that constants cannot grow without bound in many small steps.
func TestImportBounds(t *testing.T) {
	s := sketch{weights: []*onnxpb.TensorProto{integers("s", []int64{1}, 1<<20)}, nodes: nodes(op("ConstantOfShape", "s", "c0"))}
	for i := range 200 {
		s.nodes = append(s.nodes, op("Relu", "c0", "c"+string(rune('A'+i))))
	}
	s.nodes = append(s.nodes, op("Relu", "x", "y"))
	if _, err := Import(s.bytes(t), Options{MaxElements: 1 << 20}); !errors.Is(err, ErrLimit) {
		t.Errorf("%v, expected ErrLimit", err)
	}
	if _, err := Import(s.bytes(t), Options{MaxBytes: 100}); !errors.Is(err, ErrLimit) {
		t.Errorf("%v, expected ErrLimit", err)
	}
}

func TestImportOptions(t *testing.T) {
	s := sketch{
		inputs: []*onnxpb.ValueInfoProto{input("x", Float32, "N", "T", 2), input("w", Float32, 2, 3)},
		nodes:  nodes(op("MatMul", "x w", "y")),
	}
	w := Tensor{Type: Float32, Shape: []int{2, 3}, Floats: []float32{1, 2, 3, 4, 5, 6}}
	opts := Options{Bind: map[string]Tensor{"w": w}, Dims: map[string]int{"T": 5}}
	g, err := Import(s.bytes(t), opts)
	if err != nil {
		t.Fatal(err)
	}
	if len(g.Inputs) != 1 || !slices.Equal(g.Tensors[g.Inputs[0]].Shape, []int{1, 5, 2}) {
		t.Errorf("inputs %v, tensors %v", g.Inputs, g.Tensors)
	}
	if !reflect.DeepEqual(g.Nodes[0].Op, float.Op(float.Dense{})) {
		t.Errorf("op %v, expected dense", g.Nodes[0].Op)
	}
	refused := map[string]Options{
		"unknown input":  {Bind: map[string]Tensor{"w": w, "v": w}, Dims: opts.Dims},
		"wrong elements": {Bind: map[string]Tensor{"w": {Type: Float32, Shape: []int{2, 3}, Floats: []float32{1}}}, Dims: opts.Dims},
		"wrong type":     {Bind: map[string]Tensor{"w": {Type: 8, Shape: []int{0}}}, Dims: opts.Dims},
	}
	for name, o := range refused {
		if _, err := Import(s.bytes(t), o); !errors.Is(err, ErrOptions) {
			t.Errorf("%s: %v, expected ErrOptions", name, err)
		}
	}
	o := Options{Bind: opts.Bind, Dims: map[string]int{"T": -5}}
	if _, err := Import(s.bytes(t), o); !errors.Is(err, ErrMalformed) {
		t.Errorf("negative dimension: %v, expected ErrMalformed", err)
	}
}

// TestReadTensor reads the same numbers from the typed field and from raw_data of each type.
func TestReadTensor(t *testing.T) {
	nan := float32(math.NaN())
	cases := []struct {
		typ    ElemType
		fields *onnxpb.TensorProto
		raw    []byte
		floats []float32
		ints   []int64
	}{
		{Float32, &onnxpb.TensorProto{FloatData: []float32{1, -2}}, []byte{0, 0, 128, 63, 0, 0, 0, 192}, []float32{1, -2}, nil},
		{Float64, &onnxpb.TensorProto{DoubleData: []float64{1, -2}}, []byte{0, 0, 0, 0, 0, 0, 240, 63, 0, 0, 0, 0, 0, 0, 0, 192}, []float32{1, -2}, nil},
		{Float16, &onnxpb.TensorProto{Int32Data: []int32{0x3c00, 0xc001, 0x0001, 0x7c00, 0xfc00, 0x7e00}},
			[]byte{0, 0x3c, 1, 0xc0, 1, 0, 0, 0x7c, 0, 0xfc, 0, 0x7e},
			[]float32{1, -2.001953125, 1.0 / (1 << 24), float32(math.Inf(1)), float32(math.Inf(-1)), nan}, nil},
		{BFloat16, &onnxpb.TensorProto{Int32Data: []int32{0x3f80, 0xc000}}, []byte{0x80, 0x3f, 0, 0xc0}, []float32{1, -2}, nil},
		{Int8, &onnxpb.TensorProto{Int32Data: []int32{1, -2}}, []byte{1, 254}, nil, []int64{1, -2}},
		{Uint8, &onnxpb.TensorProto{Int32Data: []int32{1, 254}}, []byte{1, 254}, nil, []int64{1, 254}},
		{Bool, &onnxpb.TensorProto{Int32Data: []int32{1, 0}}, []byte{7, 0}, nil, []int64{1, 0}},
		{Int16, &onnxpb.TensorProto{Int32Data: []int32{1, -2}}, []byte{1, 0, 254, 255}, nil, []int64{1, -2}},
		{Uint16, &onnxpb.TensorProto{Int32Data: []int32{1, 65534}}, []byte{1, 0, 254, 255}, nil, []int64{1, 65534}},
		{Int32, &onnxpb.TensorProto{Int32Data: []int32{-2}}, []byte{254, 255, 255, 255}, nil, []int64{-2}},
		{Uint32, &onnxpb.TensorProto{Uint64Data: []uint64{1<<32 - 2}}, []byte{254, 255, 255, 255}, nil, []int64{1<<32 - 2}},
		{Int64, &onnxpb.TensorProto{Int64Data: []int64{-2}}, []byte{254, 255, 255, 255, 255, 255, 255, 255}, nil, []int64{-2}},
		{Uint64, &onnxpb.TensorProto{Uint64Data: []uint64{3}}, []byte{3, 0, 0, 0, 0, 0, 0, 0}, nil, []int64{3}},
	}
	for _, c := range cases {
		n := len(c.floats) + len(c.ints)
		for _, p := range []*onnxpb.TensorProto{c.fields, {RawData: c.raw}} {
			p.DataType, p.Dims, p.Name = proto.Int32(int32(c.typ)), []int64{int64(n)}, proto.String("t")
			data, err := proto.Marshal(p)
			if err != nil {
				t.Fatal(err)
			}
			name, got, err := ReadTensor(data)
			if err != nil {
				t.Fatalf("%v: %v", c.typ, err)
			}
			same := func(a, b float32) bool { return a == b || a != a && b != b }
			if name != "t" || got.Type != c.typ || !slices.EqualFunc(got.Floats, c.floats, same) || !slices.Equal(got.Ints, c.ints) {
				t.Errorf("%v: %+v", c.typ, got)
			}
			p.Dims[0]++
			if data, err = proto.Marshal(p); err != nil {
				t.Fatal(err)
			}
			if _, _, err := ReadTensor(data); !errors.Is(err, ErrMalformed) {
				t.Errorf("%v with a larger shape: %v, expected ErrMalformed", c.typ, err)
			}
		}
	}
}

// TestSwish compares with x·sigmoid(alpha·x).
func TestSwish(t *testing.T) {
	for _, alpha := range []float32{1, 0.5} {
		a := &onnxpb.AttributeProto{Name: proto.String("alpha"), Type: onnxpb.AttributeProto_FLOAT.Enum(), F: proto.Float32(alpha)}
		g, err := Import(sketch{opset: 24, nodes: nodes(op("Swish", "x", "y", a))}.bytes(t), Options{})
		if err != nil {
			t.Fatal(err)
		}
		x := []float32{-3, -0.5, 0, 2}
		y, err := g.Run([][]float32{x})
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range x {
			want := float64(v) / (1 + math.Exp(-float64(alpha*v)))
			if math.Abs(float64(y[0][i])-want) > 1e-6 {
				t.Errorf("alpha %v: swish(%v) is %v, expected %v", alpha, v, y[0][i], want)
			}
		}
	}
}

func TestSliceRange(t *testing.T) {
	// Every range of a short axis, as a loop takes it.
	for size := range 6 {
		for _, step := range []int64{-7, -2, -1, 1, 2, 7, math.MaxInt64, math.MinInt64} {
			for _, start := range []int64{math.MinInt64, -7, -6, -3, -1, 0, 1, 4, 5, 6, math.MaxInt64} {
				for _, end := range []int64{math.MinInt64, -7, -6, -3, -1, 0, 1, 4, 5, 6, math.MaxInt64} {
					first, by, count := sliceRange(size, start, end, step)
					var got []int
					for i := range count {
						got = append(got, first+i*by)
					}
					if want := walkedRange(size, start, end, step); !slices.Equal(got, want) {
						t.Fatalf("[%d:%d:%d] of %d: %v, expected %v", start, end, step, size, got, want)
					}
				}
			}
		}
	}
}

// walkedRange walks over the axis and keeps what the range names. Unlike Python, ONNX lets a range that
// goes down from below the axis start at its first element.
func walkedRange(size int, start, end, step int64) []int {
	d := float64(size)
	resolve := func(v int64) float64 {
		if v < 0 {
			return float64(v) + d
		}
		return float64(v)
	}
	from, to := resolve(start), resolve(end)
	var out []int
	if step > 0 {
		for i := math.Max(from, 0); i < d && i < to; i += float64(step) {
			out = append(out, int(i))
		}
		return out
	}
	for i := math.Min(math.Max(from, 0), d-1); i >= 0 && i > to; i += float64(step) {
		out = append(out, int(i))
	}
	return out
}

func FuzzImport(f *testing.F) {
	for _, pattern := range []string{"../../testvectors/mnist-8/model.onnx", "../../testvectors/onnx/models/*/model.onnx"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			f.Fatalf("no models at %s (%v)", pattern, err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		defer allocation.Bound(t)()
		g, err := Import(data, Options{MaxElements: 1 << 14})
		if err != nil {
			if !classified(err) {
				t.Fatalf("%v wraps none of the package's errors", err)
			}
			return
		}
		var inputs [][]float32
		for _, id := range g.Inputs {
			inputs = append(inputs, make([]float32, g.Tensors[id].Len()))
		}
		if workOf(g) > 1<<24 {
			return
		}
		if _, err := g.Run(inputs); err != nil {
			t.Fatalf("an imported graph does not run: %v", err)
		}
	})
}

// FuzzNode puts numbers into every attribute and parameter of a node of every kind, which mutated
// files rarely do.
func FuzzNode(f *testing.F) {
	kinds := SupportedOps()
	for i := range kinds {
		f.Add(uint8(i), uint8(i), []byte{1, 2, 4, 4}, []byte{1, 1, 1, 1}, int64(1), int64(2))
		f.Add(uint8(i), uint8(i), []byte{2, 3}, []byte{0, 1}, int64(0), int64(-1))
	}
	f.Fuzz(func(t *testing.T, kind, opset uint8, dims, list []byte, a, b int64) {
		defer allocation.Bound(t)()
		numbers := make([]int64, min(len(list), 16))
		for i := range numbers {
			numbers[i] = int64(int8(list[i]))
			switch list[i] & 15 { // now and then something large
			case 14:
				numbers[i] = a
			case 15:
				numbers[i] = b
			}
		}
		var shape []any
		elements, weights := int64(1), []int64{}
		for _, d := range dims[:min(len(dims), 6)] {
			size := int64(d%6) + 1
			shape = append(shape, int(size))
			weights = append(weights, size)
			elements *= size
		}
		s := sketch{opset: minOpset + int64(opset%(maxOpset-minOpset+1))}
		s.inputs = []*onnxpb.ValueInfoProto{input("x", Float32, shape...)}
		s.weights = []*onnxpb.TensorProto{
			integers("l", []int64{int64(len(numbers))}, numbers...), integers("a", nil, a), integers("b", []int64{1}, b),
			floats("w", weights, make([]float32, elements)...), floats("s", nil, float32(a)),
		}
		n := op(kinds[int(kind)%len(kinds)], []string{"x", "x l", "x w", "w x", "x s", "x l l l", "x l l a a", "x w w w w", "a a b", "l", "w l"}[uint64(a+b)%11], "y")
		for _, name := range []string{"axes", "kernel_shape", "strides", "dilations", "pads", "starts", "ends", "split", "perm"} {
			if kept := len(name)*int(opset)%3 > 0; kept {
				n.Attribute = append(n.Attribute, attrInts(name, numbers...))
			}
		}
		for i, name := range []string{"axis", "group", "keepdims", "to", "ceil_mode", "count_include_pad", "transA", "allowzero", "num_outputs", "start", "end"} {
			n.Attribute = append(n.Attribute, attrInt(name, []int64{a, b, 1}[(i+int(opset))%3]))
		}
		s.nodes = nodes(n, op("Mul", "x s", "z"))
		s.outputs = []string{"y", "z"}
		g, err := Import(s.bytes(t), Options{MaxElements: 1 << 14})
		switch {
		case err != nil && !classified(err):
			t.Fatalf("%v wraps none of the package's errors", err)
		case errors.Is(err, float.ErrGraph) && !strings.Contains(err.Error(), "finite number"):
			t.Fatalf("the importer made an invalid graph: %v", err)
		case err == nil && workOf(g) < 1<<24:
			if _, err := g.Run([][]float32{make([]float32, elements)}); err != nil {
				t.Fatalf("an imported graph does not run: %v", err)
			}
		}
	})
}

func FuzzReadTensor(f *testing.F) {
	for _, p := range []*onnxpb.TensorProto{floats("w", []int64{2}, 1, 2), integers("i", []int64{1, 1}, 7)} {
		data, err := proto.Marshal(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		defer allocation.Bound(t)()
		_, tensor, err := ReadTensor(data)
		if err != nil {
			if !classified(err) {
				t.Fatalf("%v wraps none of the package's errors", err)
			}
			return
		}
		if err := tensor.check(); err != nil {
			t.Fatal(err)
		}
	})
}

func classified(err error) bool {
	for _, class := range []error{ErrMalformed, ErrUnsupportedOp, ErrUnsupportedModel, ErrConstantModel, ErrLimit, ErrOptions} {
		if errors.Is(err, class) {
			return true
		}
	}
	return false
}

func workOf(g *float.Graph) int64 {
	var work int64
	for _, n := range g.Nodes {
		var shapes [][]int
		for _, id := range n.In {
			shapes = append(shapes, g.Tensors[id].Shape)
		}
		work += float.Work(n.Op, shapes, g.Tensors[n.Out].Shape)
	}
	return work
}
