"""The desk's pages: finding and adding patients, the patient's page, quarantine, the trail."""
