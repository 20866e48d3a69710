package tflite

import (
	"fmt"
	"slices"

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

// image is input 0 as an image, channels first.
func (n *node) image() (id model.TensorID, t model.Tensor, err error) {
	if id, err = n.input(0, channelsFirst); err != nil {
		return 0, t, err
	}
	return id, n.b.Tensor(id), nil
}

// conv lowers CONV_2D: weights [O, KH, KW, C/groups].
func (n *node) conv() error {
	if err := n.operands(2, 3); err != nil {
		return err
	}
	if n.op.optionsType != schema.BuiltinOptionsConv2DOptions {
		return fmt.Errorf("%w: no Conv2DOptions", ErrMalformed)
	}
	var o schema.Conv2DOptions
	o.Init(n.op.options.Bytes, n.op.options.Pos)
	w := window{stride: [2]int{int(o.StrideH()), int(o.StrideW())},
		dilation: [2]int{int(o.DilationHFactor()), int(o.DilationWFactor())}, padding: o.Padding()}
	weights := n.tensor(1)
	if weights == nil || len(weights.shape) != 4 {
		return fmt.Errorf("%w: weights are not [O, H, W, C]", ErrMalformed)
	}
	w.kernel = [2]int{weights.shape[1], weights.shape[2]}
	outputs, depth := weights.shape[0], weights.shape[3]
	return n.convolution(w, 0, outputs, depth, o.FusedActivationFunction(), func(o, c, tap, taps int) int {
		return (o*taps+tap)*depth + c
	})
}

// depthwise lowers DEPTHWISE_CONV_2D: weights [1, KH, KW, C·multiplier].
func (n *node) depthwise() error {
	if err := n.operands(2, 3); err != nil {
		return err
	}
	if n.op.optionsType != schema.BuiltinOptionsDepthwiseConv2DOptions {
		return fmt.Errorf("%w: no DepthwiseConv2DOptions", ErrMalformed)
	}
	var o schema.DepthwiseConv2DOptions
	o.Init(n.op.options.Bytes, n.op.options.Pos)
	w := window{stride: [2]int{int(o.StrideH()), int(o.StrideW())},
		dilation: [2]int{int(o.DilationHFactor()), int(o.DilationWFactor())}, padding: o.Padding()}
	weights := n.tensor(1)
	if weights == nil || len(weights.shape) != 4 || weights.shape[0] != 1 {
		return fmt.Errorf("%w: weights are not [1, H, W, C]", ErrMalformed)
	}
	w.kernel = [2]int{weights.shape[1], weights.shape[2]}
	outputs := weights.shape[3]
	return n.convolution(w, 3, outputs, 1, o.FusedActivationFunction(), func(o, _, tap, _ int) int {
		return tap*outputs + o
	})
}

// convolution emits a convolution whose output channels run along axis of the weights and read depth
// input channels each; at is where the weight of an output channel, input channel and tap lies.
func (n *node) convolution(w window, axis, outputs, depth int, activation schema.ActivationFunctionType, at func(o, c, tap, taps int) int) error {
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
	taps := w.kernel[0] * w.kernel[1]
	rows := make([][]int64, outputs)
	for o := range rows {
		for c := range depth {
			for tap := range taps {
				rows[o] = append(rows[o], weights[at(o, c, tap, taps)])
			}
		}
	}
	steps, err := n.layer(rows, bias, in, lo, hi, padded(win), false)
	if err != nil {
		return err
	}
	op, err := n.requantize(steps, n.output().zero(), n.output().volume(), func(q *requantization) model.Rescaled {
		c := &model.Conv{Window: win, Groups: channels / depth, OutC: outputs, Zero: n.tensor(0).zero()}
		c.Weights, c.Bias = foldLines(q, rows, bias)
		return c
	})
	if err != nil {
		return err
	}
	return n.emit(0, op, channelsFirst, x)
}

// fullyConnected lowers FULLY_CONNECTED: weights [N, K].
func (n *node) fullyConnected() error {
	if err := n.operands(2, 3); err != nil {
		return err
	}
	var o schema.FullyConnectedOptions
	activation := schema.ActivationFunctionTypeNONE
	if n.op.optionsType == schema.BuiltinOptionsFullyConnectedOptions {
		o.Init(n.op.options.Bytes, n.op.options.Pos)
		activation = o.FusedActivationFunction()
		if o.WeightsFormat() != schema.WeightsFormatDEFAULT {
			return fmt.Errorf("%w: shuffled weights", ErrUnsupportedOp)
		}
	}
	weights := n.tensor(1)
	if weights == nil || len(weights.shape) != 2 {
		return fmt.Errorf("%w: weights are not [N, K]", ErrMalformed)
	}
	outputs, k := weights.shape[0], weights.shape[1]
	x, err := n.input(0, native)
	if err != nil {
		return err
	}
	in := n.b.Tensor(x)
	if in.Len()%k != 0 {
		return fmt.Errorf("%w: input %v for weights %v", ErrMalformed, in.Shape, weights.shape)
	}
	if want := []int{in.Len() / k, k}; in.Shape[len(in.Shape)-1] != k || len(in.Shape) != len(n.output().shape) {
		if x, err = n.reshaped(x, want); err != nil {
			return err
		}
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
	steps, err := n.layer(rows, bias, in, lo, hi, false, true)
	if err != nil {
		return err
	}
	op, err := n.requantize(steps, n.output().zero(), n.output().volume(), func(q *requantization) model.Rescaled {
		d := &model.Dense{OutN: outputs, Zero: n.tensor(0).zero()}
		d.Weights, d.Bias = foldLines(q, rows, bias)
		return d
	})
	if err != nil {
		return err
	}
	return n.emitShaped(op, x)
}

// reshaped is a tensor of the graph in another shape.
func (n *node) reshaped(x model.TensorID, shape []int) (model.TensorID, error) {
	t := n.b.Tensor(x)
	if slices.Equal(t.Shape, shape) {
		return x, nil
	}
	made, err := n.b.Add(t.Name+" reshaped", &model.Reshape{Shape: shape}, t.Scale, t.Zero, x)
	if err != nil {
		return 0, err
	}
	return made, n.b.Retype(made, t.Type)
}

// emitShaped emits an op whose output may have the file's shape only after a reshape.
func (n *node) emitShaped(op model.Op, in ...model.TensorID) error {
	out := n.output()
	made, err := n.b.Add(n.label(n.op.outputs[0]), op, float64(out.scale(0)), out.zero(), in...)
	if err != nil {
		return err
	}
	if made, err = n.reshaped(made, out.shape); err != nil {
		return err
	}
	return n.set(0, made, native)
}
