"""Archives and scanners: objects received from them, studies asked of them, results sent to them.

The only part that knows the protocols of the network: DICOM messages (pynetdicom) and DICOMweb (httpx).
"""
