package main

// The terminal's rules.
//
//   - Standard output carries the result and nothing else, once: text for people, or one JSON object.
//   - Everything else goes to standard error: progress only if that is a terminal, remarks always,
//     neither with --quiet. Errors are printed whatever the flags.
//   - Work that took more than a second says so, terminal or not.
//   - No colour, whether NO_COLOR is set or not.
//   - No command asks questions: what it needs are arguments, and --force replaces files.

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// ui is the terminal of one command line.
type ui struct {
	in       io.Reader
	out, err io.Writer

	json     bool
	quiet    bool
	terminal bool // err is one
	started  bool // flags and arguments were fine
	reported bool // the result was printed
}

func newUI(args []string, in io.Reader, out, errOut io.Writer) *ui {
	flags := args
	if i := slices.Index(args, "--"); i >= 0 {
		flags = args[:i]
	}
	// Known before flags are parsed, so that an error in parsing them is JSON too.
	asJSON := slices.Contains(flags, "--json") || slices.Contains(flags, "--json=true")
	return &ui{in: in, out: out, err: errOut, json: asJSON, terminal: isTerminal(errOut)}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// report prints a command's result: as JSON, or as text does.
func (u *ui) report(result any, text func(w io.Writer)) error {
	u.reported = true
	if u.json {
		e := json.NewEncoder(u.out)
		e.SetEscapeHTML(false)
		return e.Encode(result)
	}
	var b strings.Builder
	text(&b)
	_, err := io.WriteString(u.out, b.String())
	return err
}

// finish prints the error, if there is one, and returns the exit code.
func (u *ui) finish(err error) int {
	if err == nil {
		return exitOK
	}
	class, code := classify(err)
	if !u.started && code == exitFailure {
		class, code = classUsage, exitUsage
	}
	fmt.Fprintf(u.err, "zkinfer: %v\n", err)
	if u.json && !u.reported {
		// The error that is being reported is worth more than one of printing it.
		_ = u.report(failure{errorReport{class, err.Error()}}, nil)
	}
	return code
}

// remark prints a line to standard error.
func (u *ui) remark(format string, args ...any) {
	if !u.quiet {
		fmt.Fprintf(u.err, format+"\n", args...)
	}
}

// took remarks on work of more than a second.
func (u *ui) took(what string, start time.Time) {
	if d := time.Since(start); d > time.Second {
		u.remark("%s: %.1f s", what, d.Seconds())
	}
}

// step runs work of unknown length under a description such as "setting up keys".
func (u *ui) step(what string, work func() error) error {
	return u.steps(what, -1, func(func()) error { return work() })
}

// steps runs work of n parts, which calls done after each (from any goroutine).
func (u *ui) steps(what string, n int, work func(done func()) error) error {
	start := time.Now()
	bar := u.progress(what, n)
	err := work(func() { _ = bar.Add(1) }) // drawing progress may fail, work does not
	_ = bar.Finish()
	if err == nil {
		u.took(what, start)
	}
	return err
}

func (u *ui) progress(what string, n int) *progressbar.ProgressBar {
	return progressbar.NewOptions(n,
		progressbar.OptionSetWriter(u.err),
		progressbar.OptionSetVisibility(u.terminal && !u.quiet),
		progressbar.OptionSetDescription(what),
		progressbar.OptionSetWidth(24),
		progressbar.OptionSpinnerType(14),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionShowCount(),
	)
}

// table prints rows of cells in columns; align has an l or r a column.
func table(w io.Writer, align string, rows ...[]string) {
	widths := make([]int, len(align))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if align[i] == 'r' {
				cell = pad + cell
			} else {
				cell += pad
			}
			line.WriteString(cell + "  ")
		}
		fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
	}
}

// fields prints pairs of label and value.
func fields(w io.Writer, pairs ...string) {
	rows := [][]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		rows = append(rows, pairs[i:i+2])
	}
	table(w, "ll", rows...)
}

// number is a float64 that JSON can hold: infinities and NaN become null.
type number float64

// MarshalJSON implements json.Marshaler.
func (n number) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(n)) || math.IsInf(float64(n), 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

// grouped prints an integer with thousands apart: 1,234,567.
func grouped[T ~int | ~int64 | ~uint64](n T) string {
	digits := fmt.Sprint(n)
	sign := ""
	if digits[0] == '-' {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}

// byteSize prints a number of bytes for people.
func byteSize[T ~int | ~int64 | ~uint64](n T) string {
	size, units := float64(n), []string{"bytes", "KiB", "MiB", "GiB", "TiB"}
	for size >= 1024 && len(units) > 1 {
		size, units = size/1024, units[1:]
	}
	if units[0] == "bytes" {
		return fmt.Sprintf("%d bytes", n)
	}
	return fmt.Sprintf("%.1f %s", size, units[0])
}

// seconds prints a duration for people.
func seconds(s float64) string {
	switch {
	case s < 0.01:
		return fmt.Sprintf("%.1f ms", s*1000)
	case s < 1:
		return fmt.Sprintf("%.0f ms", s*1000)
	case s < 100:
		return fmt.Sprintf("%.1f s", s)
	}
	return fmt.Sprintf("%.0f min", math.Ceil(s/60))
}
