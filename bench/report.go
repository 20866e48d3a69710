package bench

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"
)

// The files of a report, beside the folder charts.
const (
	ReportFile  = "report.html"
	JSONFile    = "results.json"
	CSVFile     = "results.csv"
	TableFile   = "table.txt"
	chartFolder = "charts"
)

// document is results.json.
type document struct {
	Results
	Laws   []Law   `json:"laws"`
	Ratios []Ratio `json:"ratios"`
}

// Write makes all files of a report in a folder, in place of older ones.
func (r *Results) Write(dir string) error {
	charts, err := r.Charts()
	if err != nil {
		return err
	}
	folder := filepath.Join(dir, chartFolder)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	pictures := make([]picture, len(charts))
	for i := range charts {
		if pictures[i], err = writeChart(folder, &charts[i]); err != nil {
			return err
		}
	}
	for name, write := range map[string]func(io.Writer) error{
		TableFile: r.Table, CSVFile: r.CSV,
		JSONFile:   func(w io.Writer) error { return r.JSON(w) },
		ReportFile: func(w io.Writer) error { return r.html(w, pictures) },
	} {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := writeFile(filepath.Join(dir, name), b.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

// writeChart writes both forms of a chart and returns the one for the report.
func writeChart(folder string, c *Chart) (picture, error) {
	svg, err := c.SVG()
	if err != nil {
		return picture{}, err
	}
	var png bytes.Buffer
	if err := c.PNG(&png); err != nil {
		return picture{}, fmt.Errorf("chart %s: %w", c.Name, err)
	}
	for extension, b := range map[string][]byte{".svg": svg, ".png": png.Bytes()} {
		if err := writeFile(filepath.Join(folder, c.Name+extension), b); err != nil {
			return picture{}, err
		}
	}
	return newPicture(c, svg), nil
}

// JSON writes everything there is, as one object.
func (r *Results) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r.Document())
}

// Document is the object that JSON writes.
func (r *Results) Document() any {
	d := document{*r, r.Laws(), r.Ratios()}
	if d.Points == nil {
		d.Points = []Result{}
	}
	return d
}

// column is one of the table of points.
type column struct {
	name string // in the CSV
	head string // for people, "" where the table leaves it out
	raw  func(r *Result) string
	text func(r *Result) string // nil: raw
}

func integer[T int | int64](v T) string { return strconv.FormatInt(int64(v), 10) }

func decimal(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }

// measuredOnly is "–" where there are no figures.
func measuredOnly(f func(r *Result) string) func(r *Result) string {
	return func(r *Result) string {
		if !r.Measured() {
			return "–"
		}
		return f(r)
	}
}

func timeColumn(name, head string, of func(r *Result) float64) column {
	return column{name, head, func(r *Result) string { return decimal(of(r)) }, measuredOnly(func(r *Result) string { return seconds(of(r)) })}
}

// optionalTime is a step that not every proof system has.
func optionalTime(name, head string, of func(r *Result) float64) column {
	c := timeColumn(name, head, of)
	text := c.text
	c.text = func(r *Result) string {
		if of(r) == 0 {
			return "–"
		}
		return text(r)
	}
	return c
}

func sizeColumn(name, head string, of func(r *Result) int64) column {
	return column{name, head, func(r *Result) string { return integer(of(r)) }, measuredOnly(func(r *Result) string { return bytesUnit(float64(of(r))) })}
}

func countColumn(name, head string, of func(r *Result) int64) column {
	return column{name, head, func(r *Result) string { return integer(of(r)) }, func(r *Result) string { return grouped(of(r)) }}
}

var columns = []column{
	{"model", "model", func(r *Result) string { return r.Name }, nil},
	{"family", "", func(r *Result) string { return r.Family }, nil},
	{"width", "", func(r *Result) string { return integer(r.Width) }, nil},
	{"depth", "", func(r *Result) string { return integer(r.Depth) }, nil},
	{"backend", "proof system", func(r *Result) string { return r.Backend }, nil},
	{"weights", "weights are", func(r *Result) string { return string(r.Weights) }, nil},
	countColumn("parameters", "parameters", func(r *Result) int64 { return r.Parameters }),
	countColumn("macs", "MACs", func(r *Result) int64 { return r.MACs }),
	countColumn("activations", "activations", func(r *Result) int64 { return r.Activations }),
	countColumn("constraints", "constraints", func(r *Result) int64 { return int64(r.Constraints) }),
	timeColumn("compile_seconds", "compile", func(r *Result) float64 { return r.CompileSeconds }),
	timeColumn("compile_cpu_seconds", "", func(r *Result) float64 { return r.CompileCPUSeconds }),
	optionalTime("srs_seconds", "SRS", func(r *Result) float64 { return r.SRSSeconds }),
	timeColumn("setup_seconds", "setup", func(r *Result) float64 { return r.SetupSeconds }),
	timeColumn("setup_cpu_seconds", "", func(r *Result) float64 { return r.SetupCPUSeconds }),
	timeColumn("commit_seconds", "commit", func(r *Result) float64 { return r.CommitSeconds }),
	timeColumn("open_seconds", "", func(r *Result) float64 { return r.OpenSeconds }),
	timeColumn("prove_seconds", "prove", func(r *Result) float64 { return r.ProveSeconds }),
	timeColumn("prove_cpu_seconds", "CPU", func(r *Result) float64 { return r.ProveCPUSeconds }),
	timeColumn("verify_seconds", "verify", func(r *Result) float64 { return r.VerifySeconds }),
	timeColumn("verify_cpu_seconds", "", func(r *Result) float64 { return r.VerifyCPUSeconds }),
	sizeColumn("setup_memory_bytes", "", func(r *Result) int64 { return r.SetupMemory }),
	sizeColumn("prove_memory_bytes", "memory", func(r *Result) int64 { return r.ProveMemory }),
	sizeColumn("proving_key_bytes", "proving key", func(r *Result) int64 { return r.ProvingKey }),
	sizeColumn("verifying_key_bytes", "verifier keeps", func(r *Result) int64 { return r.VerifyingKey }),
	sizeColumn("proof_bytes", "proof", func(r *Result) int64 { return int64(r.ProofBytes) }),
	{"skipped", "", func(r *Result) string { return r.Skipped }, nil},
	{"error", "", func(r *Result) string { return r.Error }, nil},
	{"", "remark", func(r *Result) string { return strings.TrimSpace(r.Skipped + r.Error) }, nil},
}

// cells are the table for people.
func (r *Results) cells() (heads []string, rows [][]string) {
	var shown []column
	for _, c := range columns {
		if c.head != "" {
			shown, heads = append(shown, c), append(heads, c.head)
		}
	}
	for i := range r.Points {
		var row []string
		for _, c := range shown {
			f := c.raw
			if c.text != nil {
				f = c.text
			}
			row = append(row, f(&r.Points[i]))
		}
		rows = append(rows, row)
	}
	return heads, rows
}

// Table writes the points for people, and below them what was foretold.
func (r *Results) Table(w io.Writer) error {
	if err := tabulate(w)(r.cells()); err != nil {
		return err
	}
	heads, rows := r.foretoldRows()
	if len(rows) == 0 {
		return nil
	}
	fmt.Fprintf(w, "\nforetold / measured:\n")
	return tabulate(w)(heads, rows)
}

func tabulate(w io.Writer) func(heads []string, rows [][]string) error {
	return func(heads []string, rows [][]string) error {
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(t, strings.Join(heads, "\t"))
		for _, row := range rows {
			fmt.Fprintln(t, strings.Join(row, "\t"))
		}
		return t.Flush()
	}
}

// CSV writes the points for programs: seconds, bytes, counts.
func (r *Results) CSV(w io.Writer) error {
	c := csv.NewWriter(w)
	var head []string
	for _, col := range columns {
		if col.name != "" {
			head = append(head, col.name)
		}
	}
	if err := c.Write(head); err != nil {
		return err
	}
	for i := range r.Points {
		var row []string
		for _, col := range columns {
			if col.name != "" {
				row = append(row, col.raw(&r.Points[i]))
			}
		}
		if err := c.Write(row); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

// grouped is an integer with thousands apart.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Ratio compares a model's proof with weights as wires, which Groth16 has, with one that has them folded.
type Ratio struct {
	Model       string  `json:"model"`
	Backend     string  `json:"backend"` // of the folded one
	Time        float64 `json:"time"`    // of a proof: wires over folded, so greater is better for folding
	CPU         float64 `json:"cpu"`     // the same of processor time, which a busy machine disturbs less; 0 where it is not known
	Memory      float64 `json:"memory"`
	Constraints float64 `json:"constraints"`
}

// Ratios compares private weights, for the models that have both.
func (r *Results) Ratios() []Ratio {
	out := []Ratio{}
	for i := range r.Points {
		f := &r.Points[i]
		if f.Weights != FoldedPrivate || !f.Measured() {
			continue
		}
		for k := range r.Points {
			w := &r.Points[k]
			if w.Weights == WiresPrivate && w.Measured() && w.Name == f.Name && w.Digest == f.Digest {
				out = append(out, Ratio{f.Name, f.Backend, w.ProveSeconds / f.ProveSeconds, over(w.ProveCPUSeconds, f.ProveCPUSeconds),
					float64(w.ProveMemory) / max(float64(f.ProveMemory), 1), float64(w.Constraints) / float64(f.Constraints)})
			}
		}
	}
	return out
}

// over is a/b, or 0 where b is not known.
func over(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}
