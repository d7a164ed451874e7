namespace Dependency;

/// <summary>Has a member that the other version has not.</summary>
public static class Answer
{
    public static string First() => $"one, from {typeof(Answer).Assembly.GetName().Version}";
}

/// <summary>The other version has no such type.</summary>
public class OnlyInFirst;
