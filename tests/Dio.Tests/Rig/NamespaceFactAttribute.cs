namespace NicHost.Dio.Tests.Rig;

/// <summary>A test that makes network namespaces, which only root may in a process with threads.</summary>
internal sealed class NamespaceFactAttribute : FactAttribute
{
    public NamespaceFactAttribute()
    {
        if (!Environment.IsPrivilegedProcess) Skip = NamespaceTheoryAttribute.Reason;
    }
}

/// <summary>The same for theories.</summary>
internal sealed class NamespaceTheoryAttribute : TheoryAttribute
{
    public const string Reason = "Makes network namespaces: run as root.";

    public NamespaceTheoryAttribute()
    {
        if (!Environment.IsPrivilegedProcess) Skip = Reason;
    }
}
