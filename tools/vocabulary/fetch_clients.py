"""What the programs print that fetch weights before an engine starts (curl, wget, git, the clients of object stores), as they fail.

The wording is that of the programs: curl's `curl: (N)` with its strerror, GNU and BusyBox wget, git and git-lfs, gsutil and gcloud, azcopy,
s5cmd, rclone and mc. A host without a dot, or of the cluster itself, is a neighbour that something waits for, and no source of weights.
"""

_ELSEWHERE = (
    r"(?=[\w-]{1,63}\.)(?!\S{0,253}\.(?:svc|local|internal)\b)(?!(?:127|10|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.\d)"
)
FETCH = (
    rf"|curl: \(6\) Could not resolve host: {_ELSEWHERE}"
    rf"|curl: \((?:7|28)\) Failed to connect to {_ELSEWHERE}"
    r"|curl: \(22\) The requested URL returned error: 4(?:0[134]|10|29)"
    r"|curl: \((?:18|23|56|92)\) (?:transfer closed with|end of response with|[Ff]ail(?:ed|ure) writing|Recv failure|HTTP/2 stream)"
    r"|curl: \((?:35|60)\) \S"
    r"|curl: \(28\) (?:Operation timed out after|Operation too slow|Connection timed out after|SSL connection timeout|Resolving timed out)"
    rf"|wget: (?:bad address|unable to resolve host address) ['‘\"]{_ELSEWHERE}"
    r"|wget: server returned error: HTTP/\d(?:\.\d)? 4\d\d|wget: download timed out"
    r"|\bERROR 4\d\d: (?:Unauthorized|Forbidden|Not Found|Gone|Too Many Requests)\."
    rf"|fatal: unable to access 'https?://(?:[^@\s/]{{1,100}}@)?{_ELSEWHERE}"
    r"|fatal: (?:could not read Username for|Authentication failed for|repository) 'https?://"
    r"|Smudge error: Error downloading|batch response: (?:This repository|Authentication required|Rate limit)"
    r"|CommandException: No URLs matched|BucketNotFoundException: 404|ERROR: \(gcloud\.storage\.(?:cp|rsync)\)"
    r"|failed to perform copy command due to error: |ERROR \"(?:cp|sync|cat) s3://"
    r"|Failed to (?:copy|sync): |ERROR : Attempt \d{1,3}/\d{1,3} failed with \d{1,6} errors? and"
    r"|\bmc: <ERROR> Unable to"
)
