"""A client of the application for programs: no torch, and nothing of the server.

```python
from cardiotrace.client import Client

with Client("http://127.0.0.1:8765", token="...") as client:
    for study in client.analyse("exam.zip"):
        print(study.name, study.ejection_fraction)
        client.export(study.id, "report.html", "report.html")
```
"""

from cardiotrace.client.client import Client
from cardiotrace.client.study import Fraction, Job, StudySummary

__all__ = ["Client", "Fraction", "Job", "StudySummary"]
