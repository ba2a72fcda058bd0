package result

// Curve is a line of a plot.
type Curve struct {
	Plot, Name string
	Points     []Point
}

// Point is a value at a number of nodes.
type Point struct{ Nodes, Value int }

// Curve adds points to a curve of a plot, in the order of their nodes.
func (t *Table) Curve(plot, name string, nodes, values []int) {
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
