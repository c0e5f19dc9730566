package database

import "database/sql"

// Collect reads all rows of a query with scan, and closes them; err is the
// query's own. It returns what Query returned and scan made of it, or the first
// error.
func Collect[T any](rows *sql.Rows, err error, scan func(*sql.Rows) (T, error)) (out []T, _ error) {
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // an error of the reading itself is in rows.Err
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}
