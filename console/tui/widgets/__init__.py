"""What the screens are built of: canvases that draw lines of spans and repaint changed cells only."""
