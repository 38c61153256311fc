// ConnectionJourney
