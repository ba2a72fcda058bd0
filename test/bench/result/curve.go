package result

// Curve is a line of a plot.
type Curve struct {
	Plot, Name string
	Points     []Point
}

// Point is a value at a number of nodes.
type Point struct {
	Nodes int
	Value float64
}

// Curve adds points to a curve of a plot, in the order of their nodes.
func (t *Table) Curve(plot, name string, nodes []int, values ...float64) {
	at := -1
	for i, one := range t.Curves {
		if one.Plot == plot && one.Name == name {
			at = i
		}
	}
	if at < 0 {
		at = len(t.Curves)
		t.Curves = append(t.Curves, Curve{Plot: plot, Name: name})
	}
	for i := range nodes {
		t.Curves[at].Points = append(t.Curves[at].Points, Point{nodes[i], values[i]})
	}
}

// Growth is by how much a curve's value grows from its first to its last point; false where it has no two points.
func (c Curve) Growth() (nodes, value float64, ok bool) {
	if len(c.Points) < 2 || c.Points[0].Value == 0 {
		return 0, 0, false
	}
	first, last := c.Points[0], c.Points[len(c.Points)-1]
	return float64(last.Nodes) / float64(first.Nodes), last.Value / first.Value, true
}
