package model

import (
	"fmt"
	"maps"
	"slices"
)

// AvgPool sums each window of x [1, C, H, W] and scales the sum:
//
//	acc = Multipliers[class(p)]·Σ_taps (x − Zero)
//
// The class of an output position is the number of taps that count for it; Counts lists the
// numbers that occur, ascending, and Multipliers has one entry for each. With CountPad the declared
// padding counts (its taps are real zeros).
type AvgPool struct {
	Window
	CountPad    bool
	Zero        int64
	Rescale     Rescale
	Multipliers []int64 `cbor:"-"` // parameter, one a count
}

// Kind implements Op.
func (*AvgPool) Kind() string { return "avgpool" }

// Counts lists the numbers of taps that count at some output position, ascending; inShape is
// [1, C, H, W]. The result has one entry for each of Multipliers.
func (p AvgPool) Counts(inShape []int) []int {
	seen := map[int]bool{}
	oh, ow := p.OutSize(inShape[2], inShape[3])
	for _, y := range p.tapRanges(0, inShape[2], oh) {
		for _, x := range p.tapRanges(1, inShape[3], ow) {
			seen[p.counted((y[1]-y[0])*(x[1]-x[0]))] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// counted is how many taps count where so many lie on the image: all with CountPad, as OutSize never
// reaches beyond the declared padding.
func (p AvgPool) counted(onImage int) int {
	if p.CountPad {
		return p.area()
	}
	return onImage
}

// Class is the index in Counts of the number of taps that count at output position (oy, ox).
func (p AvgPool) Class(inShape []int, oy, ox int) int {
	return p.class(p.Counts(inShape), inShape, oy, ox)
}

// class is Class with the counts at hand.
func (p AvgPool) class(counts, inShape []int, oy, ox int) int {
	y0, y1 := p.taps(0, oy, inShape[2])
	x0, x1 := p.taps(1, ox, inShape[3])
	at, _ := slices.BinarySearch(counts, p.counted((y1-y0)*(x1-x0)))
	return at
}

// Infer implements Op.
func (p *AvgPool) Infer(in []Tensor) (Tensor, error) {
	if err := checkImage(in); err != nil {
		return Tensor{}, err
	}
	x := in[0]
	oh, ow, err := p.Window.infer(x.Shape)
	if err != nil {
		return Tensor{}, err
	}
	out, err := p.Rescale.infer([]int{1, x.Shape[1], oh, ow}, 1)
	if err != nil {
		return Tensor{}, err
	}
	if err := p.checkCovered(x.Shape, oh, ow); err != nil {
		return Tensor{}, err
	}
	if err := checkZero("zero", p.Zero); err != nil {
		return Tensor{}, err
	}
	if err := checkLength("multipliers", p.Multipliers, len(p.Counts(x.Shape))); err != nil {
		return Tensor{}, err
	}
	return out, p.admit(x, oh, ow)
}

// admit checks the worst case of every kind of window. The taps on the image make its range, also
// with CountPad, where they are fewer than those that count.
func (p *AvgPool) admit(x Tensor, oh, ow int) error {
	inShape, counts := x.Shape, p.Counts(x.Shape)
	for _, ty := range p.tapRanges(0, inShape[2], oh) {
		for _, tx := range p.tapRanges(1, inShape[3], ow) {
			n := (ty[1] - ty[0]) * (tx[1] - tx[0])
			class, _ := slices.BinarySearch(counts, p.counted(n))
			var sum, w worstCase // the sum cannot overflow: at most 2^24 elements of at most 2^33
			sum.add(int64(n), centered(x, p.Zero))
			w.add(p.Multipliers[class], sum.span)
			if err := p.Rescale.admit(fmt.Sprintf("windows of %d taps", n), w); err != nil {
				return err
			}
		}
	}
	return nil
}

// Eval implements Op.
func (p *AvgPool) Eval(in [][]int64, inT []Tensor, outT Tensor) (out, acc []int64) {
	shape, counts := inT[0].Shape, p.Counts(inT[0].Shape)
	acc = make([]int64, 0, outT.Len())
	p.eachWindow(shape, outT.Shape, func(plane, oy, ox int, taps func(visit func(at int))) {
		sum := int64(0)
		taps(func(at int) { sum += in[0][at] - p.Zero })
		acc = append(acc, p.Multipliers[p.class(counts, shape, oy, ox)]*sum)
	})
	return p.Rescale.apply(acc, 1), acc
}

// Params implements Op.
func (p *AvgPool) Params() []Param {
	return []Param{{"multipliers", []int{len(p.Multipliers)}, &p.Multipliers}}
}

// MACs implements Op.
func (*AvgPool) MACs(_ []Tensor, out Tensor) int64 { return int64(out.Len()) }

// Requantization implements Rescaled.
func (p *AvgPool) Requantization() *Rescale { return &p.Rescale }
