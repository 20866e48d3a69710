package tflite

import (
	"fmt"

	"github.com/zkinfer/zkinfer/model"
	"github.com/zkinfer/zkinfer/model/tflite/internal/schema"
)

// window is the geometry of a convolution or pooling over an image of h×w, in the file's terms.
type window struct {
	kernel, stride, dilation [2]int
	padding                  schema.Padding
}

// of is the window with the padding spelled out: SAME puts the smaller half before.
func (w window) of(h, wd int) (model.Window, error) {
	out := model.Window{Kernel: w.kernel, Stride: w.stride, Dilation: w.dilation}
	for a, size := range [2]int{h, wd} {
		k, s, d := w.kernel[a], w.stride[a], w.dilation[a]
		if k < 1 || s < 1 || d < 1 || max(k, s, d) > 1<<15 {
			return out, fmt.Errorf("%w: kernel %v, stride %v, dilation %v", ErrMalformed, w.kernel, w.stride, w.dilation)
		}
		if w.padding != schema.PaddingSAME {
			continue
		}
		total := max(((size+s-1)/s-1)*s+(k-1)*d+1-size, 0)
		out.PadBefore[a], out.PadAfter[a] = total/2, total-total/2
	}
	return out, nil
}

func padded(w model.Window) bool { return w.PadBefore != [2]int{} || w.PadAfter != [2]int{} }

// weightIndex is where the weight of an output channel, input channel and tap lies.
type weightIndex func(o, c, tap int, s weightSize) int

type weightSize struct{ outputs, depth, taps int }

// ordinaryWeight is of [O, KH, KW, C].
func ordinaryWeight(o, c, tap int, s weightSize) int { return (o*s.taps+tap)*s.depth + c }

// depthwiseWeight is of [1, KH, KW, O].
func depthwiseWeight(o, _, tap int, s weightSize) int { return tap*s.outputs + o }

// filters are the weights of each output channel, tap after tap of each input channel.
func filters[T any](weights []T, w window, outputs, depth int, at weightIndex) [][]T {
	s := weightSize{outputs, depth, w.kernel[0] * w.kernel[1]}
	rows := make([][]T, outputs)
	for o := range rows {
		rows[o] = make([]T, 0, depth*s.taps)
		for c := range depth {
			for tap := range s.taps {
				rows[o] = append(rows[o], weights[at(o, c, tap, s)])
			}
		}
	}
	return rows
}

// convWindow reads CONV_2D: weights [O, KH, KW, C/groups].
func (n *node) convWindow() (w window, o schema.Conv2DOptions, err error) {
	if err := n.operands(2, 3); err != nil {
		return w, o, err
	}
	if err := n.options(schema.BuiltinOptionsConv2DOptions, &o); err != nil {
		return w, o, err
	}
	weights := n.tensor(1)
	if weights == nil || len(weights.shape) != 4 {
		return w, o, fmt.Errorf("%w: weights are not [O, H, W, C]", ErrMalformed)
	}
	return window{kernel: [2]int{weights.shape[1], weights.shape[2]}, stride: [2]int{int(o.StrideH()), int(o.StrideW())},
		dilation: [2]int{int(o.DilationHFactor()), int(o.DilationWFactor())}, padding: o.Padding()}, o, nil
}

// depthwiseWindow reads DEPTHWISE_CONV_2D: weights [1, KH, KW, C·multiplier].
func (n *node) depthwiseWindow() (w window, o schema.DepthwiseConv2DOptions, err error) {
	if err := n.operands(2, 3); err != nil {
		return w, o, err
	}
	if err := n.options(schema.BuiltinOptionsDepthwiseConv2DOptions, &o); err != nil {
		return w, o, err
	}
	weights := n.tensor(1)
	if weights == nil || len(weights.shape) != 4 || weights.shape[0] != 1 {
		return w, o, fmt.Errorf("%w: weights are not [1, H, W, C]", ErrMalformed)
	}
	return window{kernel: [2]int{weights.shape[1], weights.shape[2]}, stride: [2]int{int(o.StrideH()), int(o.StrideW())},
		dilation: [2]int{int(o.DilationHFactor()), int(o.DilationWFactor())}, padding: o.Padding()}, o, nil
}

// image is input 0 as an image, channels first.
func (n *integerNode) image() (x ref, t model.Tensor, err error) {
	if x, err = n.input(0, channelsFirst); err != nil {
		return 0, t, err
	}
	return x, n.at(x), nil
}

func (n *integerNode) conv() error {
	w, o, err := n.convWindow()
	if err != nil {
		return err
	}
	return n.convolution(w, 0, n.tensor(1).shape[0], n.tensor(1).shape[3], o.FusedActivationFunction(), ordinaryWeight)
}

func (n *integerNode) depthwise() error {
	w, o, err := n.depthwiseWindow()
	if err != nil {
		return err
	}
	if w := n.tensor(1); w.typ == schema.TensorTypeUINT8 && w.axis != 0 && n.rounding == LiteRT {
		n.rounding = TFLM // XNNPACK leaves it to the builtin kernel
	}
	return n.convolution(w, 3, n.tensor(1).shape[3], 1, o.FusedActivationFunction(), depthwiseWeight)
}

// convolution emits a convolution whose output channels run along axis of the weights and read depth
// input channels each.
func (n *integerNode) convolution(w window, axis, outputs, depth int, activation schema.ActivationFunctionType, at weightIndex) error {
	x, in, err := n.image()
	if err != nil {
		return err
	}
	channels := in.Shape[1]
	if channels%depth != 0 || outputs%(channels/depth) != 0 {
		return fmt.Errorf("%w: weights for %d of %d input channels and %d output channels", ErrMalformed, depth, channels, outputs)
	}
	win, err := w.of(in.Shape[2], in.Shape[3])
	if err != nil {
		return err
	}
	weights, err := n.weights(1, axis)
	if err != nil {
		return err
	}
	bias, err := n.bias(2, outputs)
	if err != nil {
		return err
	}
	lo, hi, err := n.clamp(activation)
	if err != nil {
		return err
	}
	rows := filters(weights, w, outputs, depth, at)
	// Kernels for uint8 know one multiplier for all channels.
	whole := n.tensor(1).typ == schema.TensorTypeUINT8
	steps, err := n.layer(rows, bias, in, lo, hi, padded(win), whole)
	if err != nil {
		return err
	}
	op, err := n.requantize(steps, n.out().zero(), n.out().volume(), func(q *requantization) model.Rescaled {
		c := &model.Conv{Window: win, Groups: channels / depth, OutC: outputs, Zero: n.tensor(0).zero()}
		c.Weights, c.Bias = foldLines(q, rows, bias)
		return c
	})
	if err != nil {
		return err
	}
	return n.emit(op, channelsFirst, x)
}

// fullyConnectedActivation reads FULLY_CONNECTED: weights [N, K].
func (n *node) fullyConnectedActivation() (schema.ActivationFunctionType, error) {
	if err := n.operands(2, 3); err != nil {
		return 0, err
	}
	var o schema.FullyConnectedOptions
	if err := n.options(schema.BuiltinOptionsFullyConnectedOptions, &o); err != nil {
		return 0, err
	}
	if o.WeightsFormat() != schema.WeightsFormatDEFAULT {
		return 0, fmt.Errorf("%w: shuffled weights", ErrUnsupportedOp)
	}
	if w := n.tensor(1); w == nil || len(w.shape) != 2 {
		return 0, fmt.Errorf("%w: weights are not [N, K]", ErrMalformed)
	}
	return o.FusedActivationFunction(), nil
}

// flattened is input 0 with k elements along its last axis.
func (n *node) flattened(k int) (ref, error) {
	x, err := n.input(0, native)
	if err != nil {
		return 0, err
	}
	shape := n.target.shape(x)
	if volume(shape)%k != 0 {
		return 0, fmt.Errorf("%w: input %v for weights of %d columns", ErrMalformed, shape, k)
	}
	if len(shape) > 0 && shape[len(shape)-1] == k && len(shape) == len(n.out().shape) {
		return x, nil
	}
	return n.reshaped(x, []int{volume(shape) / k, k})
}

func (n *integerNode) fullyConnected() error {
	activation, err := n.fullyConnectedActivation()
	if err != nil {
		return err
	}
	outputs, k := n.tensor(1).shape[0], n.tensor(1).shape[1]
	x, err := n.flattened(k)
	if err != nil {
		return err
	}
	w, err := n.weights(1, 0)
	if err != nil {
		return err
	}
	bias, err := n.bias(2, outputs)
	if err != nil {
		return err
	}
	lo, hi, err := n.clamp(activation)
	if err != nil {
		return err
	}
	rows := make([][]int64, outputs)
	for o := range rows {
		rows[o] = w[o*k : (o+1)*k]
	}
	steps, err := n.layer(rows, bias, n.at(x), lo, hi, false, true)
	if err != nil {
		return err
	}
	op, err := n.requantize(steps, n.out().zero(), n.out().volume(), func(q *requantization) model.Rescaled {
		d := &model.Dense{OutN: outputs, Zero: n.tensor(0).zero()}
		d.Weights, d.Bias = foldLines(q, rows, bias)
		return d
	})
	if err != nil {
		return err
	}
	return n.emitReshaped(op, x)
}

// emitReshaped emits an op whose output may have the file's shape only after a reshape.
func (n *integerNode) emitReshaped(op model.Op, x ref) error {
	out := n.out()
	y, err := n.g.add(n.name(), op, float64(out.scale(0)), out.zero(), x)
	if err != nil {
		return err
	}
	return n.setReshaped(0, y)
}
