// Command plot draws the bench's curves, which it reads as JSON, into an SVG file: one plot below the other, with the number of
// nodes to the right and the value up, both logarithmic.
package main

import (
	"encoding/json"
	"fmt"
	"image/color"
	"math"
	"os"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// curve is a line of a plot, as the bench has it.
type curve struct {
	Plot, Name string
	Points     []struct {
		Nodes int
		Value float64
	}
}

// Size of one plot.
const width, height = 16 * vg.Centimeter, 9 * vg.Centimeter

// colours can be told apart by people who do not see all colours (Okabe and Ito's).
var colours = []color.Color{
	color.RGBA{0, 114, 178, 255}, color.RGBA{213, 94, 0, 255}, color.RGBA{0, 158, 115, 255}, color.RGBA{204, 121, 167, 255}, color.RGBA{86, 180, 233, 255},
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "plot:", err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	if len(arguments) != 1 {
		return fmt.Errorf("want one argument, the file to write")
	}
	var curves []curve
	if err := json.NewDecoder(os.Stdin).Decode(&curves); err != nil {
		return fmt.Errorf("reading the curves: %w", err)
	}
	var titles []string
	for _, one := range curves {
		if !slices.Contains(titles, one.Plot) {
			titles = append(titles, one.Plot)
		}
	}
	canvas := vgsvg.New(width, height*vg.Length(len(titles)))
	whole := draw.New(canvas)
	for i, title := range titles {
		drawn, err := plotOf(title, curves)
		if err != nil {
			return err
		}
		below := height * vg.Length(len(titles)-1-i)
		drawn.Draw(draw.Crop(whole, 0, 0, below, below-height*vg.Length(len(titles)-1)))
	}
	file, err := os.Create(arguments[0]) //nolint:gosec // the file that the bench asks for
	if err != nil {
		return err
	}
	if _, err := canvas.WriteTo(file); err != nil {
		return fmt.Errorf("writing %s: %w", arguments[0], err)
	}
	return file.Close()
}

// plotOf draws the curves of one title.
func plotOf(title string, curves []curve) (*plot.Plot, error) {
	drawn := plot.New()
	drawn.Title.Text, drawn.X.Label.Text = title, "nodes"
	drawn.X.Scale, drawn.X.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	drawn.Y.Scale, drawn.Y.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	drawn.Legend.Top, drawn.Legend.Left = true, true
	drawn.Add(plotter.NewGrid())
	count := 0
	defer roundAxes(drawn)
	for _, one := range curves {
		if one.Plot != title {
			continue
		}
		points := make(plotter.XYs, 0, len(one.Points))
		for _, point := range one.Points {
			points = append(points, plotter.XY{X: float64(point.Nodes), Y: max(0.1, point.Value)}) // a logarithm has no zero
		}
		line, marks, err := plotter.NewLinePoints(points)
		if err != nil {
			return nil, fmt.Errorf("drawing %s: %w", one.Name, err)
		}
		line.Color, marks.Color = colours[count%len(colours)], colours[count%len(colours)]
		line.Width = vg.Points(1.5)
		count++
		drawn.Add(line, marks)
		drawn.Legend.Add(one.Name, line, marks)
	}
	return drawn, nil
}

// roundAxes has both axes begin and end at powers of ten, and leaves room for the legend above the curves.
func roundAxes(drawn *plot.Plot) {
	power := func(exponent float64) float64 { return math.Pow(10, exponent) }
	drawn.X.Min, drawn.X.Max = power(math.Floor(math.Log10(drawn.X.Min))), power(math.Ceil(math.Log10(drawn.X.Max)))
	drawn.Y.Min, drawn.Y.Max = power(math.Floor(math.Log10(drawn.Y.Min))), power(math.Ceil(math.Log10(drawn.Y.Max))+1)
}
