package bench

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"maps"
	"slices"
	"strings"
)

//go:embed report.tmpl
var reportTemplate string

// picture is a chart inside of the report.
type picture struct {
	Title string
	SVG   template.HTML
}

// newPicture takes the element out of an SVG file, whose head names an outside definition.
func newPicture(c *Chart, svg []byte) picture {
	if i := bytes.Index(svg, []byte("<svg")); i >= 0 {
		svg = svg[i:]
	}
	// The picture is made here, from numbers and fixed words.
	return picture{c.Title, template.HTML(svg)}
}

// page is what the template shows.
type page struct {
	*Results
	Conditions [][2]string
	Charts     []picture
	Heads      []string
	Rows       [][]string
	Causes     []string
	LawRows    [][]string
	RatioRows  [][]string

	ForetoldHeads []string
	ForetoldRows  [][]string
}

func (r *Results) html(w io.Writer, charts []picture) error {
	t, err := template.New("report").Parse(reportTemplate)
	if err != nil {
		return err
	}
	p := page{Results: r, Conditions: r.conditions(), Charts: charts}
	p.Heads, p.Rows = r.cells()
	for _, c := range causes {
		p.Causes = append(p.Causes, c.Title)
	}
	p.ForetoldHeads, p.ForetoldRows = r.foretoldRows()
	p.LawRows = r.lawRows()
	for _, x := range r.Ratios() {
		p.RatioRows = append(p.RatioRows, []string{x.Model, x.Backend, times(x.Time), times(x.CPU), times(x.Memory), times(x.Constraints)})
	}
	return t.Execute(w, p)
}

// lawRows are the exponents of each family's costs, by the causes one beside the other.
func (r *Results) lawRows() [][]string {
	var rows [][]string
	for _, l := range r.Laws() {
		row := []string{familyNames[l.Family], l.Backend, looks[l.Weights].name, title(costs, l.Cost), fmt.Sprint(l.Points)}
		exponent := fmt.Sprintf("%.2f (%.2f)", l.Exponent, l.R2)
		if n := len(rows); n > 0 && slices.Equal(rows[n-1][:len(row)], row) {
			rows[n-1] = append(rows[n-1], exponent)
			continue
		}
		rows = append(rows, append(row, exponent))
	}
	return rows
}

func times(v float64) string { return compact(v) + "×" }

func title(list []axis, key string) string {
	for _, a := range list {
		if a.Key == key {
			return a.Title
		}
	}
	return key
}

// conditions are what somebody needs to measure the same again.
func (r *Results) conditions() [][2]string {
	m := r.Machine
	out := [][2]string{{"processor", m.CPU}, {"cores used", fmt.Sprint(m.Cores)}, {"memory", bytesUnit(float64(m.Memory))},
		{"system", m.OS + "/" + m.Arch}, {"seed", fmt.Sprint(r.Settings.Seed)}, {"runs of a phase", fmt.Sprintf("up to %d, medians", r.Settings.Runs)}}
	for _, name := range slices.Sorted(maps.Keys(m.Versions)) {
		out = append(out, [2]string{name, m.Versions[name]})
	}
	for i := range out {
		out[i][1] = strings.TrimSpace(out[i][1])
		if out[i][1] == "" || out[i][1] == "0 B" {
			out[i][1] = "not known"
		}
	}
	return out
}
