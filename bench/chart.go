package bench

import (
	"bytes"
	"fmt"
	"image/color"
	"io"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/zkinfer/zkinfer/verifier/wrapped"
)

// A chart is one cost against one cause on logarithmic axes, so that a scaling law is a straight line.
// Colour says how weights are held and by which proof system, a filled mark that they are private, its shape the family.

// unit formats the numbers of an axis.
type unit func(v float64) string

// count is a number of things: 12, 3k, 4.5M.
func count(v float64) string { return scaledBy(v, 1000, []string{"", "k", "M", "G", "T"}) }

// bytesUnit is a number of bytes: 24 MB.
func bytesUnit(v float64) string {
	return scaledBy(v, 1000, []string{" B", " kB", " MB", " GB", " TB"})
}

// seconds is a duration: 3 ms, 1.5 s.
func seconds(v float64) string {
	if v < 1 {
		return strconv.FormatFloat(v*1000, 'g', 3, 64) + " ms"
	}
	return compact(v) + " s"
}

func scaledBy(v, step float64, units []string) string {
	for v >= step && len(units) > 1 {
		v, units = v/step, units[1:]
	}
	return compact(v) + units[0]
}

// compact is three digits, without an exponent.
func compact(v float64) string {
	if v >= 100 {
		return strconv.FormatFloat(math.Round(v), 'f', -1, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

// The sizes of a chart. Its key takes as many lines at the bottom as it needs, in columns that have room for a wider font than
// the one that the metrics are of.
const (
	chartWidth  = 16 * vg.Centimeter
	plotHeight  = 9.5 * vg.Centimeter
	keyLine     = 0.5 * vg.Centimeter
	keyFont     = 8.5
	keyColumn   = 2.75 * vg.Centimeter
	keyFirst    = 1.8 * vg.Centimeter
	keyIndent   = 0.3 * vg.Centimeter
	labelWidth  = 0.65 * vg.Centimeter
	markRadius  = 3.2
	markPublic  = 2.4 // those lie upon the private ones
	markToText  = 7
	chartDPI    = 144
	chartMargin = 4
)

// look is how points of a way to hold weights are drawn (colours of Okabe and Ito, which the colour-blind
// tell apart).
type look struct {
	color  color.RGBA
	filled bool
	name   string
}

var looks = map[Weights]look{
	FoldedPrivate: {color.RGBA{0, 114, 178, 255}, true, "folded, private"},
	FoldedPublic:  {color.RGBA{0, 114, 178, 255}, false, "folded, public"},
	WiresPrivate:  {color.RGBA{213, 94, 0, 255}, true, "wires, private"},
	WiresPublic:   {color.RGBA{213, 94, 0, 255}, false, "wires, public"},
	Constants:     {color.RGBA{0, 158, 115, 255}, false, "constants"},
	GatesPrivate:  {color.RGBA{0, 0, 0, 255}, true, "gates, private"},
	GatesPublic:   {color.RGBA{0, 0, 0, 255}, false, "gates, public"},
}

// colors are those of proof systems that share a way to hold weights with another.
var colors = map[string]color.RGBA{wrapped.Backend: {204, 121, 167, 255}}

// lookOf is the look of a series.
func lookOf(s *Series) look {
	l := looks[s.Weights]
	if own, ok := colors[s.Backend]; ok {
		l.color = own
	}
	return l
}

// shape is the mark of a family, filled or not, and how its laws are dashed.
type shape struct {
	filled, open draw.GlyphDrawer
	dashes       []vg.Length
}

var shapes = map[string]shape{
	Dense: {draw.CircleGlyph{}, draw.RingGlyph{}, nil},
	CNN:   {draw.BoxGlyph{}, draw.SquareGlyph{}, []vg.Length{6, 3}},
	DWCNN: {draw.PyramidGlyph{}, draw.TriangleGlyph{}, []vg.Length{1.5, 2.5}},

	Growth: {draw.CircleGlyph{}, draw.RingGlyph{}, []vg.Length{4, 2}},
}

// single is the mark of models that are no family.
var single = shape{crossGlyph{}, draw.PlusGlyph{}, nil}

// crossGlyph is a cross as heavy as the filled marks.
type crossGlyph struct{}

// DrawGlyph implements draw.GlyphDrawer.
func (crossGlyph) DrawGlyph(c *draw.Canvas, style draw.GlyphStyle, at vg.Point) {
	c.SetLineStyle(draw.LineStyle{Color: style.Color, Width: style.Radius / 2})
	r := style.Radius * math.Sqrt2 / 2
	for _, up := range []vg.Length{r, -r} {
		var line vg.Path
		line.Move(vg.Point{X: at.X - r, Y: at.Y - up})
		line.Line(vg.Point{X: at.X + r, Y: at.Y + up})
		c.Stroke(line)
	}
}

func shapeOf(family string) shape {
	if s, ok := shapes[family]; ok {
		return s
	}
	return single
}

func glyph(l look, s shape) draw.GlyphStyle {
	style := draw.GlyphStyle{Color: l.color, Radius: vg.Points(markPublic), Shape: s.open}
	if l.filled {
		style.Shape, style.Radius = s.filled, vg.Points(markRadius)
	}
	return style
}

// Chart is a picture under a name such as prove-by-weights.
type Chart struct {
	Name, Title string

	plot   *plot.Plot
	upward string // what the vertical axis shows
	series []*Series
}

// Charts draws every cost against every cause. Without a point there is none.
func (r *Results) Charts() ([]Chart, error) {
	var out []Chart
	series := r.series()
	if len(series) == 0 {
		return nil, nil
	}
	for _, cost := range costs {
		for _, cause := range causes {
			p, err := newPlot(series, cause, cost)
			if err != nil {
				return nil, err
			}
			out = append(out, Chart{cost.Key + "-by-" + cause.Key, p.Title.Text, p, cost.Title, series})
		}
	}
	return out, nil
}

func newPlot(series []*Series, cause, cost axis) (*plot.Plot, error) {
	p := plot.New()
	p.Title.Text = cost.Title + " by " + cause.Title
	p.X.Label.Text = cause.Title
	styleAxis(&p.X, cause.Unit)
	styleAxis(&p.Y, cost.Unit)
	setFont(&p.Title.TextStyle.Font, 11)
	p.Title.Padding = vg.Points(6)
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = color.Gray{225}, color.Gray{225}
	p.Add(grid)
	for _, s := range series {
		if err := addSeries(p, s, cause, cost); err != nil {
			return nil, err
		}
	}
	p.X.Min, p.X.Max = widened(p.X.Min, p.X.Max)
	p.Y.Min, p.Y.Max = widened(p.Y.Min, p.Y.Max)
	return p, nil
}

// widened gives marks room at both ends of a logarithmic axis, and an axis of one value a length.
func widened(lo, hi float64) (float64, float64) {
	margin := max(math.Pow(hi/lo, 0.05), 1.15)
	return lo / margin, hi * margin
}

func styleAxis(a *plot.Axis, u unit) {
	a.Scale = plot.LogScale{}
	a.Tick.Marker = logTicks(u)
	setFont(&a.Label.TextStyle.Font, 10)
	setFont(&a.Tick.Label.Font, 9)
}

func setFont(f *font.Font, points float64) {
	f.Typeface, f.Variant, f.Size = "Liberation", "Sans", vg.Points(points)
}

// logTicks labels 1, 2 and 5 of each power of ten, fewer on long axes.
type logTicks unit

// Ticks implements plot.Ticker.
func (u logTicks) Ticks(lo, hi float64) []plot.Tick {
	labelled := []int{1, 2, 5}
	decades := math.Log10(hi / lo)
	crowded := decades > 5 // then powers of ten alone, and every other with a label
	if crowded {
		labelled = []int{}
	} else if decades > 2 {
		labelled = []int{1}
	}
	var out []plot.Tick
	for e := math.Floor(math.Log10(lo)); e <= math.Ceil(math.Log10(hi)); e++ {
		for d := 1; d <= 9; d++ {
			v := float64(d) * math.Pow(10, e)
			if v < lo || v > hi || crowded && d > 1 {
				continue
			}
			t := plot.Tick{Value: v}
			if slices.Contains(labelled, d) || len(labelled) == 0 && d == 1 && int(e)%2 == 0 {
				t.Label = u(v)
			}
			out = append(out, t)
		}
	}
	return out
}

// addSeries draws the marks of a series, and its law where weights are private or constants: that of
// public weights lies upon it.
func addSeries(p *plot.Plot, s *Series, cause, cost axis) error {
	var xys plotter.XYs
	for i := range s.points {
		x, y := cause.of(&s.points[i]), cost.of(&s.points[i])
		if x > 0 && y > 0 {
			xys = append(xys, plotter.XY{X: x, Y: y})
		}
	}
	if len(xys) == 0 {
		return nil
	}
	marks, err := plotter.NewScatter(xys)
	if err != nil {
		return err
	}
	l := lookOf(s)
	marks.GlyphStyle = glyph(l, shapeOf(s.Family))
	p.Add(marks)
	f, ok := s.fit(cause, cost)
	if !ok || !slices.Contains(AllFamilies, s.Family) || !l.filled && s.Weights != Constants {
		return nil
	}
	lo, hi := slices.MinFunc(xys, byX), slices.MaxFunc(xys, byX)
	line, err := plotter.NewLine(plotter.XYs{{X: lo.X, Y: f.At(lo.X)}, {X: hi.X, Y: f.At(hi.X)}})
	if err != nil {
		return err
	}
	line.LineStyle = draw.LineStyle{Color: l.color, Width: vg.Points(0.9), Dashes: shapeOf(s.Family).dashes}
	p.Add(line)
	return nil
}

func byX(a, b plotter.XY) int {
	switch {
	case a.X < b.X:
		return -1
	case a.X > b.X:
		return 1
	}
	return 0
}

// draw puts the plot above its key.
func (c *Chart) draw(canvas draw.Canvas) {
	key := c.key()
	height := keyLine * vg.Length(len(key))
	// The plot would keep room for its own label of a logarithmic axis where that is not.
	label := c.plot.X.Label.TextStyle
	label.Rotation, label.XAlign, label.YAlign = math.Pi/2, draw.XCenter, draw.YTop
	canvas.FillText(label, vg.Point{X: canvas.Min.X + vg.Points(chartMargin), Y: (canvas.Max.Y + canvas.Min.Y + height) / 2}, c.upward)
	c.plot.Draw(draw.Crop(canvas, labelWidth, -vg.Points(10), height, -vg.Points(chartMargin)))
	c.drawKey(draw.Crop(canvas, keyIndent, 0, 0, height-c.height()), key)
}

// height of the whole picture.
func (c *Chart) height() vg.Length { return plotHeight + keyLine*vg.Length(len(c.key())) }

// entry is a mark with what it stands for, keyRow a line of the key.
type (
	entry struct {
		name string
		mark draw.GlyphStyle
	}
	keyRow struct {
		name    string
		entries []entry
	}
)

// key has the colours of each proof system in a line, then the shapes.
func (c *Chart) key() []keyRow {
	var rows []keyRow
	for _, s := range c.series {
		i := slices.IndexFunc(rows, func(r keyRow) bool { return r.name == s.Backend })
		if i < 0 {
			i = len(rows)
			rows = append(rows, keyRow{name: s.Backend})
		}
		rows[i].add(entry{looks[s.Weights].name, glyph(lookOf(s), shapes[Dense])})
	}
	return slices.Concat(rows, c.families())
}

// add appends an entry that is not there yet.
func (r *keyRow) add(e entry) {
	if !slices.ContainsFunc(r.entries, func(x entry) bool { return x.name == e.name }) {
		r.entries = append(r.entries, e)
	}
}

func (c *Chart) drawKey(canvas draw.Canvas, rows []keyRow) {
	style := c.plot.X.Tick.Label
	setFont(&style.Font, keyFont)
	style.XAlign, style.YAlign = draw.XLeft, draw.YCenter
	y := canvas.Max.Y - keyLine/2
	for _, row := range rows {
		canvas.FillText(style, vg.Point{X: canvas.Min.X, Y: y}, row.name)
		x := canvas.Min.X + keyFirst
		for _, e := range row.entries {
			canvas.DrawGlyph(e.mark, vg.Point{X: x, Y: y})
			canvas.FillText(style, vg.Point{X: x + vg.Points(markToText), Y: y}, e.name)
			x += keyColumn
		}
		y -= keyLine
	}
}

// familyNames are those of the key.
var familyNames = map[string]string{Dense: "dense", CNN: "convolutions", DWCNN: "depthwise", Growth: "growing images"}

// families explains the shapes.
func (c *Chart) families() []keyRow {
	grey := look{color: color.RGBA{90, 90, 90, 255}, filled: true}
	var row keyRow
	for _, s := range c.series {
		name, ok := familyNames[s.Family]
		if !ok {
			name = "single models"
		}
		row.add(entry{name, glyph(grey, shapeOf(s.Family))})
	}
	row.name = "shapes"
	return []keyRow{row}
}

// SVG is the picture as a scalable one. It refers to nothing outside of it.
func (c *Chart) SVG() ([]byte, error) {
	canvas := vgsvg.NewWith(vgsvg.UseWH(chartWidth, c.height()))
	c.draw(draw.New(canvas))
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("chart %s: %w", c.Name, err)
	}
	// Where the font of the metrics is missing, a similar one serves.
	return bytes.ReplaceAll(b.Bytes(), []byte("font-family:Liberation Sans"), []byte("font-family:Liberation Sans,Arimo,Arial,Helvetica,sans-serif")), nil
}

// PNG writes the picture in pixels.
func (c *Chart) PNG(w io.Writer) error {
	canvas := vgimg.NewWith(vgimg.UseWH(chartWidth, c.height()), vgimg.UseDPI(chartDPI))
	c.draw(draw.New(canvas))
	_, err := vgimg.PngCanvas{Canvas: canvas}.WriteTo(w)
	return err
}
