"""Pictures: each a function from tables to matplotlib ``Axes``, the figure about them as ``.figure``.

Colours are seaborn's "colorblind" palette, and what is told apart by a colour is told apart by a shape or a
place too. Every axis has its unit and says which way is better; below a picture stands what it rests on.
"""
