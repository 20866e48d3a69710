package model_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/zkinfer/zkinfer/fixedpoint"
	"github.com/zkinfer/zkinfer/model"
)

// TestHalfAwayIsTwoRoundings: with the multiplier folded into the accumulator, HalfAway is TensorFlow
// Lite's doubly rounding requantization, at every quotient and every tie.
func TestHalfAwayIsTwoRoundings(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	ties := 0
	for range 40 {
		m, e := int64(1<<30+rng.IntN(1<<30)), 1+rng.IntN(9)
		if rng.IntN(4) == 0 {
			m = 1 << 30 // exact halves in the first rounding too
		}
		r := model.Rescale{Shift: uint(31 + e), Roundings: []model.Rounding{model.HalfAway(uint(e))}}
		for x := int64(-40000); x <= 40000; x += 1 + rng.Int64N(7) {
			// The second rounding adds half a step, the first half a unit of the second's input.
			got := r.Quotient(0, x*m+1<<30)
			want := int64(fixedpoint.MBQM(int32(x), int32(m), -e))
			if got != want {
				t.Fatalf("x = %d, M = %d, e = %d: %d, two roundings give %d", x, m, e, got, want)
			}
			if got != r.Floor(x*m+1<<30) {
				ties++
			}
		}
	}
	if ties == 0 {
		t.Error("no tie was met: the test means nothing")
	}
}

// TestBinary32IsOneFloatProduct: Binary32 is XNNPACK's requantization wherever the accumulator is exact
// in binary32, checked around every boundary.
func TestBinary32IsOneFloatProduct(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	differ := 0
	for range 300 {
		m, e := int64(1<<23+rng.IntN(1<<23)), 24+rng.IntN(9)
		r := model.Rescale{Shift: uint(max(25, e+rng.IntN(4))), Roundings: []model.Rounding{model.Binary32}}
		fold := m << (r.Shift - uint(e))
		scale := float32(math.Ldexp(float64(m), -e))
		check := func(x int64) {
			if x <= -1<<24 || x >= 1<<24 {
				return
			}
			got, want := r.Quotient(0, x*fold), int64(math.RoundToEven(float64(float32(x)*scale)))
			if got != want && -1<<22 < want && want < 1<<22 {
				t.Fatalf("x = %d, m = %d, e = %d, T = %d: %d, float32 gives %d", x, m, e, r.Shift, got, want)
			}
			if got != r.Floor(x*fold) {
				differ++
			}
		}
		for n := int64(-700); n <= 700; n++ {
			at := int64(math.Round((float64(n) - 0.5) * math.Ldexp(1, e) / float64(m)))
			for x := at - 2; x <= at+2; x++ {
				check(x)
			}
		}
		for range 1000 {
			check(rng.Int64N(1<<25) - 1<<24)
		}
	}
	if differ == 0 {
		t.Error("never differed from half up: the test means nothing")
	}
}

// TestRoundingByChannel: each output channel has its own.
func TestRoundingByChannel(t *testing.T) {
	roundings := []model.Rounding{model.HalfUp, model.HalfAway(2), model.HalfAway(1)}
	rescale := model.Rescale{Shift: 2, QMin: -9, QMax: 9, Table: model.ClampTable(-10, 9, -10, 9), Roundings: roundings}
	in := model.Tensor{Shape: []int{1, 1, 1, 16}, Min: -20, Max: 20, Scale: 1}
	x := make([]int64, 16)
	for i := range x {
		x[i] = int64(i) - 12
	}
	pointwise := model.Window{Kernel: [2]int{1, 1}, Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}}
	image := &model.Conv{Window: pointwise, Groups: 1, OutC: 3, Rescale: rescale, Weights: []int64{1, 1, 1}, Bias: []int64{0, 0, 0}}
	vector := &model.Dense{OutN: 3, Rescale: rescale, Weights: []int64{1, 1, 1}, Bias: []int64{0, 0, 0}}
	for _, c := range []struct {
		op    model.Rescaled
		shape []int
	}{{image, []int{1, 1, 1, 16}}, {vector, []int{16, 1}}} {
		in.Shape = c.shape
		outT, err := c.op.Infer([]model.Tensor{in})
		if err != nil {
			t.Fatal(err)
		}
		out, acc := c.op.Eval([][]int64{x}, []model.Tensor{in}, outT)
		n, inner := model.Channels(c.op, outT)
		for i, a := range acc {
			q := c.op.Requantization().Floor(a)
			channel := i / inner % n
			tie := (a+2)&3 == 0
			if channel == 2 {
				tie = (a+2)&2 == 0
			}
			if channel > 0 && q <= 0 && tie {
				q--
			}
			if out[i] != q {
				t.Errorf("%s: channel %d, accumulator %d: %d, want %d", c.op.Kind(), channel, a, out[i], q)
			}
		}
	}
}

func TestRoundingsRefused(t *testing.T) {
	in := []model.Tensor{{Shape: []int{1, 1}, Min: 0, Max: 1, Scale: 1}}
	for name, r := range map[string]model.Rescale{
		"too few":               {Shift: 3, QMax: 1, Table: model.ClampTable(0, 1, 0, 1), Roundings: []model.Rounding{model.HalfUp}},
		"more bits than shift":  {Shift: 3, QMax: 1, Table: model.ClampTable(0, 1, 0, 1), Roundings: []model.Rounding{model.HalfUp, model.HalfAway(4)}},
		"unknown":               {Shift: 40, QMax: 1, Table: model.ClampTable(0, 1, 0, 1), Roundings: []model.Rounding{model.HalfUp, 200}},
		"binary32, small shift": {Shift: 24, QMax: 1, Table: model.ClampTable(0, 1, 0, 1), Roundings: []model.Rounding{model.HalfUp, model.Binary32}},
		"table ends at zero":    {Shift: 3, QMax: 5, Table: model.ClampTable(-3, 0, -3, 0), Roundings: []model.Rounding{model.HalfUp, model.HalfAway(2)}},
		"binary32, wide":        {Shift: 30, QMax: 1 << 22, Table: model.ClampTable(0, 1, 0, 1), Roundings: []model.Rounding{model.HalfUp, model.Binary32}},
	} {
		op := &model.Dense{OutN: 2, Rescale: r, Weights: []int64{0, 0}, Bias: []int64{0, 0}}
		if _, err := op.Infer(in); !errors.Is(err, model.ErrAttribute) {
			t.Errorf("%s: %v, want ErrAttribute", name, err)
		}
	}
}
