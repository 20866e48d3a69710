package model_test

import (
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/zkinfer/zkinfer/model"
)

// TestWindow compares OutSize, Counts and Class with counting, over all small geometries.
func TestWindow(t *testing.T) {
	for _, s := range indices([]int{4, 4, 3, 2, 4, 4}) {
		n, k, stride, dilation, before, after := s[0]+1, s[1]+1, s[2]+1, s[3]+1, s[4], s[5]
		w := model.Window{Kernel: [2]int{k, 1}, Stride: [2]int{stride, 2}, Dilation: [2]int{dilation, 1},
			PadBefore: [2]int{before, 0}, PadAfter: [2]int{after, 0}}
		var taps []int // on the image, at each position
		for start := -before; start+dilation*(k-1) < n+after; start += stride {
			inside := 0
			for i := range k {
				if at := start + i*dilation; at >= 0 && at < n {
					inside++
				}
			}
			taps = append(taps, inside)
		}
		oh, ow := w.OutSize(n, 5)
		if oh != len(taps) || ow != 3 {
			t.Fatalf("%+v over %d×5: %d×%d positions, want %d×3", w, n, oh, ow, len(taps))
		}
		shape := []int{1, 1, n, 5}
		want := slices.Sorted(slices.Values(taps))
		want = slices.Compact(want)
		counts := model.AvgPool{Window: w}.Counts(shape)
		if !slices.Equal(counts, want) {
			t.Fatalf("%+v over %d: counts %v, want %v", w, n, counts, want)
		}
		for oy, inside := range taps {
			if class := (model.AvgPool{Window: w}).Class(shape, oy, 1); counts[class] != inside {
				t.Fatalf("%+v over %d: position %d has class %d of %v, want the one of %d", w, n, oy, class, counts, inside)
			}
		}
		padded := model.AvgPool{Window: w, CountPad: true}
		if got := padded.Counts(shape); len(taps) > 0 && (!slices.Equal(got, []int{k}) || padded.Class(shape, 0, 0) != 0) {
			t.Fatalf("%+v with counted padding: %v, want [%d]", w, got, k)
		}
	}
}

func TestBroadcastIndex(t *testing.T) {
	for _, c := range []struct {
		shape, out, want []int
	}{
		{[]int{}, []int{2, 2}, []int{0, 0, 0, 0}},
		{[]int{}, []int{}, []int{0}},
		{[]int{3}, []int{2, 3}, []int{0, 1, 2, 0, 1, 2}},
		{[]int{2, 1}, []int{2, 3}, []int{0, 0, 0, 1, 1, 1}},
		{[]int{1, 1, 2}, []int{1, 2, 2}, []int{0, 1, 0, 1}},
		{[]int{2, 2}, []int{2, 2}, []int{0, 1, 2, 3}},
	} {
		if got := model.BroadcastIndex(c.shape, c.out); !slices.Equal(got, c.want) {
			t.Errorf("%v to %v: %v, want %v", c.shape, c.out, got, c.want)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("[2] broadcasts to [3]")
		}
	}()
	model.BroadcastIndex([]int{2}, []int{3})
}

// TestAccRange: the bounds are the last accumulators whose quotients are within.
func TestAccRange(t *testing.T) {
	for shift := range uint(20) {
		for _, q := range [][2]int64{{0, 0}, {-128, 127}, {0, 255}, {-7, -3}, {5, 9}} {
			r := model.Rescale{Shift: shift, QMin: q[0], QMax: q[1]}
			lo, hi := r.AccRange()
			got := []int64{r.Floor(lo - 1), r.Floor(lo), r.Floor(hi), r.Floor(hi + 1)}
			if want := []int64{q[0] - 1, q[0], q[1], q[1] + 1}; !slices.Equal(got, want) {
				t.Errorf("shift %d, %v: quotients %v around [%d, %d], want %v", shift, q, got, lo, hi, want)
			}
		}
	}
}

func TestFloorRoundsHalfUp(t *testing.T) {
	r := model.Rescale{Shift: 2}
	for acc, want := range map[int64]int64{-7: -2, -6: -1, -3: -1, -2: 0, 0: 0, 1: 0, 2: 1, 5: 1, 6: 2} {
		if got := r.Floor(acc); got != want {
			t.Errorf("Floor(%d) = %d, want %d", acc, got, want)
		}
	}
}

func TestTable(t *testing.T) {
	for _, c := range []struct {
		table  model.Table
		lo, hi int64
		ok     bool
	}{
		{model.ClampTable(-10, 10, -3, 4), -3, 4, true},
		{model.ClampTable(-10, 10, 0, 99), 0, 10, true},
		{model.ClampTable(3, 9, -5, 1), 1, 1, true},
		{model.Table{Min: 5, Values: []int64{7, 7}}, 7, 7, true},
		{model.Table{Min: 0, Values: []int64{0, 1, 3}}, 0, 0, false},
		{model.Table{Min: 0, Values: []int64{2, 1, 0}}, 0, 0, false},
	} {
		if lo, hi, ok := c.table.IsClamp(); lo != c.lo || hi != c.hi || ok != c.ok {
			t.Errorf("%+v: clamp to [%d, %d] %v, want [%d, %d] %v", c.table, lo, hi, ok, c.lo, c.hi, c.ok)
		}
	}
	table := model.Table{Min: -1, Values: []int64{5, -6, 2}}
	if lo, hi := table.Range(); lo != -6 || hi != 5 || table.Max() != 1 || table.At(0) != -6 {
		t.Errorf("range [%d, %d], last argument %d, value at 0 %d", lo, hi, table.Max(), table.At(0))
	}
}

func TestDType(t *testing.T) {
	for _, c := range []struct {
		min, max int64
		want     model.DType
		name     string
		size     int
	}{
		{0, 255, model.Uint8, "uint8", 1},
		{-1, 127, model.Int8, "int8", 1},
		{-1, 128, model.Int16, "int16", 2},
		{0, 256, model.Uint16, "uint16", 2},
		{-1, 1 << 20, model.Int32, "int32", 4},
		{math.MinInt32, math.MaxInt32, model.Int32, "int32", 4},
	} {
		got, err := model.SmallestDType(c.min, c.max)
		if err != nil || got != c.want || got.String() != c.name || got.Size() != c.size {
			t.Errorf("[%d, %d]: %v of %d bytes, %v; want %v", c.min, c.max, got, got.Size(), err, c.want)
		}
	}
	if _, err := model.SmallestDType(0, 1<<31); !errors.Is(err, model.ErrRange) {
		t.Errorf("2^31: %v, want ErrRange", err)
	}
	if s := model.DType(9).String(); s != "dtype(9)" {
		t.Errorf("unknown type is called %q", s)
	}
}

func TestTensorQuantize(t *testing.T) {
	x := model.Tensor{Shape: []int{2, 3}, Min: 0, Max: 255, Scale: 0.5, Zero: 10}
	for real, want := range map[float64]int64{0: 10, 1: 12, 0.25: 10, 0.75: 12, -100: 0, 1e9: 255} {
		if got := x.Quantize(real); got != want {
			t.Errorf("Quantize(%v) = %d, want %d", real, got, want)
		}
	}
	if x.Real(12) != 1 || x.Len() != 6 {
		t.Errorf("Real(12) = %v, %d elements", x.Real(12), x.Len())
	}
}
