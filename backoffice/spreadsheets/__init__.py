"""Reading what people keep in spreadsheets: files into rows, headings into fields, addresses into parts."""
