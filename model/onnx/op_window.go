package onnx

import (
	"github.com/zkinfer/zkinfer/model/float"
)

// geometry is a window along each spatial axis (one or two).
type geometry []axisWindow

type axisWindow struct{ kernel, stride, dilation, before, after int }

// wantImage demands one image [1, C, W] or [1, C, H, W].
func (n *node) wantImage(x *value) error {
	if len(x.shape) != 3 && len(x.shape) != 4 {
		return n.unsupported("input %v, expected one or two spatial axes", x.shape)
	}
	if x.shape[0] != 1 {
		return n.unsupported("input %v is a batch of %d, expected a batch of 1; export the model for one sample", x.shape, x.shape[0])
	}
	return nil
}

// geometry reads the attributes of a convolution or pooling over axes of the given sizes; kernel is
// the default of kernel_shape.
func (n *node) geometry(sizes, kernel []int) (geometry, error) {
	count := len(sizes)
	if n.attrs["kernel_shape"] != nil || kernel == nil {
		var err error
		if kernel, err = n.sizes("kernel_shape", count, 1, 0); err != nil {
			return nil, err
		}
	}
	strides, err := n.sizes("strides", count, 1, 1)
	if err != nil {
		return nil, err
	}
	dilations, err := n.sizes("dilations", count, 1, 1)
	if err != nil {
		return nil, err
	}
	pads, err := n.sizes("pads", 2*count, 0, 0)
	if err != nil {
		return nil, err
	}
	auto, err := n.stringAttr("auto_pad", "NOTSET")
	if err != nil {
		return nil, err
	}
	g := make(geometry, count)
	for a := range g {
		if kernel[a] < 1 || kernel[a] > maxAttribute {
			return nil, n.malformed("kernel %v, expected numbers from 1 to %d", kernel, maxAttribute)
		}
		g[a] = axisWindow{kernel[a], strides[a], dilations[a], pads[a], pads[count+a]}
		if err := g[a].pad(n, auto, sizes[a]); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// pad sets the padding as auto_pad demands: SAME makes ⌈size/stride⌉ positions, with the odd element
// of padding after (UPPER) or before (LOWER).
func (w *axisWindow) pad(n *node, auto string, size int) error {
	same := max(((size+w.stride-1)/w.stride-1)*w.stride+w.extent()-size, 0)
	switch auto {
	case "NOTSET", "":
	case "VALID":
		w.before, w.after = 0, 0
	case "SAME_UPPER":
		w.before, w.after = same/2, same-same/2
	case "SAME_LOWER":
		w.before, w.after = same-same/2, same/2
	default:
		return n.malformed("attribute \"auto_pad\" is %q, expected NOTSET, SAME_UPPER, SAME_LOWER or VALID", auto)
	}
	return nil
}

// extent is the number of elements from the first tap to the last.
func (w *axisWindow) extent() int { return w.dilation*(w.kernel-1) + 1 }

// ceil is the padding to add after so that the number of positions is rounded up; a window that would
// start on the padding after does not count.
func (w *axisWindow) ceil(size int) int {
	padded := size + w.before + w.after
	if padded < w.extent() {
		return 0
	}
	positions := (padded-w.extent()+w.stride-1)/w.stride + 1
	if (positions-1)*w.stride >= size+w.before {
		positions--
	}
	return max((positions-1)*w.stride+w.extent()-padded, 0)
}

// window is the geometry over [1, C, H, W], where a single spatial axis is W.
func (g geometry) window() float.Window {
	w := float.Window{Kernel: [2]int{1, 1}, Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}}
	for i, s := range g {
		a := 2 - len(g) + i
		w.Kernel[a], w.Stride[a], w.Dilation[a], w.PadBefore[a], w.PadAfter[a] = s.kernel, s.stride, s.dilation, s.before, s.after
	}
	return w
}

// asImage gives a tensor with one spatial axis a second of size 1.
func (im *importer) asImage(x *value) (*value, error) {
	if len(x.shape) != 3 {
		return x, nil
	}
	return im.reshape(x, []int{x.shape[0], x.shape[1], 1, x.shape[2]})
}

// fromImage undoes asImage.
func (im *importer) fromImage(y *value, spatial int) (*value, error) {
	if spatial != 1 {
		return y, nil
	}
	return im.reshape(y, []int{y.shape[0], y.shape[1], y.shape[3]})
}

// pooling reads what MaxPool and AveragePool share: the window, and the padding that ceil_mode adds
// after each axis beyond it.
func pooling(n *node) (g geometry, beyond []int, err error) {
	if err := n.needs(1, 1); err != nil {
		return nil, nil, err
	}
	x := n.in[0]
	if err := n.wantImage(x); err != nil {
		return nil, nil, err
	}
	sizes := x.shape[2:]
	if g, err = n.geometry(sizes, nil); err != nil {
		return nil, nil, err
	}
	beyond = make([]int, len(g))
	ceil, err := n.flag("ceil_mode", false)
	if err != nil {
		return nil, nil, err
	}
	if ceil {
		for a := range g {
			beyond[a] = g[a].ceil(sizes[a])
		}
	}
	return g, beyond, nil
}

// extended is the geometry with the padding beyond added.
func (g geometry) extended(beyond []int) geometry {
	out := make(geometry, len(g))
	for a := range g {
		out[a] = g[a]
		out[a].after += beyond[a]
	}
	return out
}

// pool applies op to x as an image.
func (im *importer) pool(op float.Op, x *value) ([]*value, error) {
	image, err := im.asImage(x)
	if err != nil {
		return nil, err
	}
	y, err := im.emit(op, nil, image)
	if err != nil {
		return nil, err
	}
	return one(im.fromImage(y, len(x.shape)-2))
}

func lowerMaxPool(im *importer, n *node) ([]*value, error) {
	g, beyond, err := pooling(n)
	if err != nil {
		return nil, err
	}
	return im.pool(float.MaxPool{Window: g.extended(beyond).window()}, n.in[0])
}

// lowerAveragePool: padding that only ceil_mode adds never counts, so where declared padding does, the
// latter becomes zeros of its own.
func lowerAveragePool(im *importer, n *node) ([]*value, error) {
	g, beyond, err := pooling(n)
	if err != nil {
		return nil, err
	}
	countPad, err := n.flag("count_include_pad", false)
	if err != nil {
		return nil, err
	}
	x := n.in[0]
	rounded := false
	for _, b := range beyond {
		rounded = rounded || b > 0
	}
	if countPad && rounded {
		pad := float.Pad{Before: make([]int, len(x.shape)), After: make([]int, len(x.shape)), Mode: "constant"}
		for a := range g {
			pad.Before[2+a], pad.After[2+a] = g[a].before, g[a].after
			g[a].before, g[a].after = 0, 0
		}
		if x, err = im.emit(pad, nil, x); err != nil {
			return nil, err
		}
		countPad = false
	}
	return im.pool(float.AvgPool{Window: g.extended(beyond).window(), CountPad: countPad}, x)
}

func lowerGlobalAveragePool(im *importer, n *node) ([]*value, error) {
	if err := n.needs(1, 1); err != nil {
		return nil, err
	}
	x := n.in[0]
	if len(x.shape) < 3 {
		return nil, n.malformed("input %v, expected [N, C, ...]", x.shape)
	}
	var axes []int
	for a := 2; a < len(x.shape); a++ {
		axes = append(axes, a)
	}
	return one(im.emit(float.Mean{Axes: axes}, float.ReducedShape(x.shape, axes, true), x))
}

func lowerGlobalMaxPool(im *importer, n *node) ([]*value, error) {
	if err := n.needs(1, 1); err != nil {
		return nil, err
	}
	x := n.in[0]
	if err := n.wantImage(x); err != nil {
		return nil, err
	}
	g := make(geometry, len(x.shape)-2)
	for a := range g {
		g[a] = axisWindow{kernel: x.shape[2+a], stride: 1, dilation: 1}
	}
	return im.pool(float.MaxPool{Window: g.window()}, x)
}
