// Puts the page together; the first design that is chosen is the knee of the front.

startFront();
startDesign();
startGallery();
startTrials();
if (study.first !== null) choose(study.first);
