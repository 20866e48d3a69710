package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/zkinfer/zkinfer/internal/samples"
	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/onnx"
	"github.com/zkinfer/zkinfer/model/quantize"
	"github.com/zkinfer/zkinfer/model/tflite"
	"github.com/zkinfer/zkinfer/testvectors"
)

// ErrUnknownModel is a name that stands for no model.
var ErrUnknownModel = errors.New("unknown model")

// The families whose width and depth are swept.
const (
	Dense = "dense" // depth layers of width×width, ReLU
	CNN   = "cnn"   // depth 3×3 convolutions of width channels on 12×12 images, then 10 outputs
	DWCNN = "dwcnn" // depth pairs of a depthwise 3×3 and a 1×1 convolution, the same otherwise
)

// Growth is a family for the exponent by which a proof system grows, from 10^3 to 10^7 activations: depth 3×3 convolutions
// of 16 channels on images of width×width. It is measured where it is asked for by name.
const Growth = "growth"

// Families lists those that are measured unless others are named, AllFamilies all.
var (
	Families    = []string{Dense, CNN, DWCNN}
	AllFamilies = []string{Dense, CNN, DWCNN, Growth}
)

// growthChannels makes the widths of fullSizes those of the powers of ten, at a depth of 4.
const growthChannels = 16

// Model is a network that can be built: always the same one for the same seed.
type Model struct {
	Name   string `json:"name"`
	Family string `json:"family"` // one of Families, or "model"
	Width  int    `json:"width,omitempty"`
	Depth  int    `json:"depth,omitempty"`

	build func(ctx context.Context, seed uint64) (*model.Graph, error)
}

// Build makes the integer graph. Errors are those of package quantize, of an importer, or of reading a
// file.
func (m Model) Build(ctx context.Context, seed uint64) (*model.Graph, error) {
	g, err := m.build(ctx, seed)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", m.Name, err)
	}
	return g, nil
}

// drawn is a model of random weights and the project's own quantization.
func drawn(m Model, layers func(n *network), shape ...int) Model {
	m.build = func(ctx context.Context, seed uint64) (*model.Graph, error) {
		n := newNetwork(m.Name, seed, shape...)
		layers(n)
		return n.quantized(ctx)
	}
	return m
}

// imageSide is the height and the width of the images that the swept convolutions see.
const imageSide = 12

// Sweep is the member of a family with this width and depth.
func Sweep(family string, width, depth int) (Model, error) {
	m := Model{Name: fmt.Sprintf("%s-%dx%d", family, width, depth), Family: family, Width: width, Depth: depth}
	if width < 1 || depth < 1 || width > 1<<14 || depth > 1<<10 {
		return m, fmt.Errorf("%w %s: expected a width of 1 to 16384 and a depth of 1 to 1024", ErrUnknownModel, m.Name)
	}
	switch family {
	case Dense:
		return drawn(m, func(n *network) {
			for range depth {
				n.dense(width).relu()
			}
		}, 1, width), nil
	case CNN:
		return drawn(m, func(n *network) {
			for range depth {
				n.conv(width, 3, true).relu()
			}
			n.halve(false).flatten().dense(10)
		}, 1, 1, imageSide, imageSide), nil
	case DWCNN:
		return drawn(m, func(n *network) {
			n.conv(width, 1, true).relu()
			for range depth {
				n.depthwise(1).relu().conv(width, 1, true).relu()
			}
			n.halve(false).flatten().dense(10)
		}, 1, 1, imageSide, imageSide), nil
	case Growth:
		return drawn(m, func(n *network) {
			for range depth {
				n.conv(growthChannels, 3, true).relu()
			}
		}, 1, 1, width, width), nil
	}
	return m, fmt.Errorf("%w %s: expected one of the families %v", ErrUnknownModel, m.Name, AllFamilies)
}

// Named are the models that stand for something outside of a sweep, small ones first.
func Named() []Model {
	one := func(name string) Model { return Model{Name: name, Family: "model"} }
	return []Model{bundled("hello-world"), bundled("ad01"),
		{Name: "mnist-8", Family: "model", build: mnist},
		drawn(one("lenet-5"), lenet5, 1, 1, 32, 32),
		// A credit-risk network as lenders publish theirs: 96 inputs, 13 hidden layers of 512, one probability.
		drawn(one("credit-risk"), creditRisk, 1, 96),
		drawn(one("dense-2048"), func(n *network) { n.dense(2048).relu() }, 1, 2048),
		bundled("kws"), bundled("resnet8"), bundled("vww"),
		drawn(one("vgg11"), vgg11, 1, 3, 32, 32),
		drawn(one("mobilenetv2"), mobileNetV2, 1, 3, 224, 224),
	}
}

func creditRisk(n *network) {
	for range 13 {
		n.dense(512).relu()
	}
	n.dense(1).function("sigmoid")
}

// lenet5 is LeCun et al. (1998), with full connections to the third layer's channels.
func lenet5(n *network) {
	n.conv(6, 5, false).function("tanh").halve(true).conv(16, 5, false).function("tanh").halve(true)
	n.flatten().dense(120).function("tanh").dense(84).function("tanh").dense(10)
}

// vgg11 is configuration A of Simonyan and Zisserman (2014) as it is used for CIFAR-10: one dense layer
// of 10 outputs at the end.
func vgg11(n *network) {
	for _, stage := range [][]int{{64}, {128}, {256, 256}, {512, 512}, {512, 512}} {
		for _, channels := range stage {
			n.conv(channels, 3, true).relu()
		}
		n.halve(false)
	}
	n.flatten().dense(10)
}

// mobileNetV2 is table 2 of Sandler et al. (2018), for ImageNet.
func mobileNetV2(n *network) {
	n.convolution(32, 3, 2, 1, 1).relu6()
	for _, stage := range []struct{ expansion, channels, blocks, stride int }{
		{1, 16, 1, 1}, {6, 24, 2, 2}, {6, 32, 3, 2}, {6, 64, 4, 2}, {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1},
	} {
		for i := range stage.blocks {
			stride := 1
			if i == 0 {
				stride = stage.stride
			}
			n.bottleneck(stage.expansion, stage.channels, stride)
		}
	}
	n.conv(1280, 1, true).relu6().mean().dense(1000)
}

// bottleneck is an inverted residual: expanded, filtered each channel alone, projected without a function.
func (n *network) bottleneck(expansion, channels, stride int) {
	first, inputs := n.last, n.shape()[1]
	if expansion > 1 {
		n.conv(expansion*inputs, 1, true).relu6()
	}
	n.depthwise(stride).relu6().conv(channels, 1, true)
	if stride == 1 && inputs == channels {
		n.plus(first)
	}
}

// mnist is the network of the demonstration, calibrated as there with the bundled digits.
func mnist(ctx context.Context, _ uint64) (*model.Graph, error) {
	g, err := onnx.Import(testvectors.MNIST, onnx.Options{})
	if err != nil {
		return nil, err
	}
	b, err := testvectors.Digits.ReadFile("digits/images.idx.gz")
	if err != nil {
		return nil, err
	}
	input := g.Tensors[g.Inputs[0]]
	digits, err := samples.Decode(b, []samples.Input{{Name: input.Name, Shape: input.Shape}}, samples.Options{})
	if err != nil {
		return nil, err
	}
	images, err := digits.Floats(digits.Len())
	if err != nil {
		return nil, err
	}
	return quantize.Quantize(ctx, g, quantize.Options{Calibration: images, PixelScale: []float64{1}, Name: "mnist-8", Format: "onnx"})
}

// bundled is an int8 TensorFlow Lite model in the arithmetic of TensorFlow Lite Micro.
func bundled(name string) Model {
	return Model{Name: name, Family: "model", build: func(context.Context, uint64) (*model.Graph, error) {
		b, err := testvectors.TFLite.ReadFile("tflite/" + name + "/model.tflite")
		if err != nil {
			return nil, err
		}
		return fromTFLite(b, name)
	}}
}

func fromTFLite(b []byte, name string) (*model.Graph, error) {
	m, err := tflite.Parse(b)
	if err != nil {
		return nil, err
	}
	r, err := m.Integer(tflite.TFLM, name)
	if err != nil {
		return nil, err
	}
	return r.Graph, nil
}

// FromFile is the model in a .zkm file, or in an int8 TensorFlow Lite file.
func FromFile(path string) Model {
	name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	return Model{Name: name, Family: "model", build: func(context.Context, uint64) (*model.Graph, error) {
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if len(b) >= 8 && bytes.Equal(b[4:8], []byte("TFL3")) {
			return fromTFLite(b, name)
		}
		return model.ReadFile(path)
	}}
}

var swept = regexp.MustCompile(`^(` + strings.Join(AllFamilies, "|") + `)-([0-9]+)x([0-9]+)$`)

// Find is the model of a name: a named one, or a family's member such as dense-256x3.
func Find(name string) (Model, error) {
	for _, m := range Named() {
		if m.Name == name {
			return m, nil
		}
	}
	if p := swept.FindStringSubmatch(name); p != nil {
		width, _ := strconv.Atoi(p[2]) // too large a number becomes the greatest int, which Sweep refuses
		depth, _ := strconv.Atoi(p[3])
		return Sweep(p[1], width, depth)
	}
	return Model{}, fmt.Errorf("%w %q: expected one of %v, or a family's member such as dense-256x3 (families are %v)",
		ErrUnknownModel, name, Names(), AllFamilies)
}

// Names lists the named models.
func Names() []string {
	var out []string
	for _, m := range Named() {
		out = append(out, m.Name)
	}
	return out
}

// sizes are the (width, depth) that a family is swept over: widths at one depth, then depths at one
// width.
type sizes [][2]int

var quickSizes = map[string]sizes{
	Dense: {{16, 2}, {64, 2}, {128, 2}, {64, 4}},
	CNN:   {{2, 1}, {4, 1}, {8, 1}, {2, 2}},
	DWCNN: {{2, 1}, {4, 1}, {6, 1}, {1, 2}},

	Growth: {{4, 4}, {7, 4}, {13, 4}, {22, 4}, {40, 4}},
}

var fullSizes = map[string]sizes{
	Dense: {{64, 2}, {128, 2}, {256, 2}, {512, 2}, {1024, 2}, {2048, 2}, {512, 1}, {512, 4}, {512, 8}},
	CNN:   {{4, 2}, {8, 2}, {16, 2}, {32, 2}, {64, 2}, {16, 1}, {16, 4}, {16, 8}},
	DWCNN: {{8, 2}, {16, 2}, {32, 2}, {64, 2}, {128, 2}, {32, 1}, {32, 4}, {32, 8}},

	Growth: {{4, 4}, {13, 4}, {40, 4}, {126, 4}, {396, 4}},
}

// Sweeps lists the members of families that a run measures.
func Sweeps(families []string, quick bool) ([]Model, error) {
	var out []Model
	for _, f := range families {
		if !slices.Contains(AllFamilies, f) {
			return nil, fmt.Errorf("%w: family %q, expected one of %v", ErrUnknownModel, f, AllFamilies)
		}
		list := fullSizes[f]
		if quick {
			list = quickSizes[f]
		}
		for _, s := range list {
			m, err := Sweep(f, s[0], s[1])
			if err != nil {
				return nil, err
			}
			out = append(out, m)
		}
	}
	return out, nil
}
