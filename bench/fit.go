package bench

import (
	"math"
	"slices"
)

// Fit is a scaling law y = Factor·x^Exponent, by least squares on the logarithms. R2 is the part of the
// variance of log y that it explains.
type Fit struct {
	Exponent float64 `json:"exponent"`
	Factor   float64 `json:"factor"`
	R2       float64 `json:"r2"`
	Points   int     `json:"points"`
}

// At is the law's value.
func (f Fit) At(x float64) float64 { return f.Factor * math.Pow(x, f.Exponent) }

// minFitPoints is the least number of points through which a law is worth drawing.
const minFitPoints = 3

// FitPowerLaw fits positive values; others are left out. It reports false where fewer than three are
// left, or all have one x.
func FitPowerLaw(x, y []float64) (Fit, bool) {
	var lx, ly []float64
	for i := range x {
		if x[i] > 0 && y[i] > 0 {
			lx, ly = append(lx, math.Log(x[i])), append(ly, math.Log(y[i]))
		}
	}
	n := float64(len(lx))
	if len(lx) < minFitPoints {
		return Fit{}, false
	}
	mx, my := sum(lx)/n, sum(ly)/n
	var sxx, sxy, syy float64
	for i := range lx {
		dx, dy := lx[i]-mx, ly[i]-my
		sxx, sxy, syy = sxx+dx*dx, sxy+dx*dy, syy+dy*dy
	}
	if sxx < 1e-12 {
		return Fit{}, false
	}
	f := Fit{Exponent: sxy / sxx, R2: 1, Points: len(lx)}
	f.Factor = math.Exp(my - f.Exponent*mx)
	if syy > 1e-12 { // a constant is explained by exponent 0
		f.R2 = sxy * sxy / (sxx * syy)
	}
	return f, true
}

func sum(v []float64) float64 {
	total := 0.0
	for _, x := range v {
		total += x
	}
	return total
}

// axis is a quantity of a point.
type axis struct {
	Key, Title string
	Unit       unit
	of         func(r *Result) float64
}

// causes are what cost is drawn against, costs what is drawn.
var (
	causes = []axis{
		{"weights", "weights", count, func(r *Result) float64 { return float64(r.Parameters) }},
		{"macs", "multiply-accumulates", count, func(r *Result) float64 { return float64(r.MACs) }},
		{"activations", "activations", count, func(r *Result) float64 { return float64(r.Activations) }},
	}
	costs = []axis{
		{"prove", "time of a proof", seconds, func(r *Result) float64 { return r.ProveSeconds }},
		{"cpu", "processor time of a proof", seconds, func(r *Result) float64 { return r.ProveCPUSeconds }},
		{"memory", "peak memory of a proof", bytesUnit, func(r *Result) float64 { return float64(r.ProveMemory) }},
		{"constraints", "constraints", count, func(r *Result) float64 { return float64(r.Constraints) }},
	}
)

// Series are points that a scaling law may hold for: one family, one way to hold the weights, one proof
// system.
type Series struct {
	Backend string  `json:"backend"`
	Weights Weights `json:"weights"`
	Family  string  `json:"family"`

	points []Result
}

// series sorts what was measured, in order of appearance.
func (r *Results) series() []*Series {
	var out []*Series
	for _, p := range r.Points {
		if !p.Measured() {
			continue
		}
		same := func(s *Series) bool { return s.Backend == p.Backend && s.Weights == p.Weights && s.Family == p.Family }
		i := slices.IndexFunc(out, same)
		if i < 0 {
			i = len(out)
			out = append(out, &Series{Backend: p.Backend, Weights: p.Weights, Family: p.Family})
		}
		out[i].points = append(out[i].points, p)
	}
	return out
}

// fit is the law of one cost by one cause.
func (s *Series) fit(cause, cost axis) (Fit, bool) {
	var x, y []float64
	for i := range s.points {
		x, y = append(x, cause.of(&s.points[i])), append(y, cost.of(&s.points[i]))
	}
	return FitPowerLaw(x, y)
}

// Law is a fit with what it is about.
type Law struct {
	Series
	Cost string `json:"cost"`
	By   string `json:"by"`
	Fit
}

// Laws fits every cost by every cause, for the swept families.
func (r *Results) Laws() []Law {
	out := []Law{}
	for _, s := range r.series() {
		if !slices.Contains(AllFamilies, s.Family) {
			continue // single models are no family: nothing links one to the next
		}
		for _, cost := range costs {
			for _, cause := range causes {
				if f, ok := s.fit(cause, cost); ok {
					out = append(out, Law{*s, cost.Key, cause.Key, f})
				}
			}
		}
	}
	return out
}
