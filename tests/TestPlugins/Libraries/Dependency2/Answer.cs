namespace Dependency;

/// <summary>Has a member that the other version has not.</summary>
public static class Answer
{
    public static string Second() => $"two, from {typeof(Answer).Assembly.GetName().Version}";
}
